//! Protobuf's outer shape, field by field, without copying: for answers too big to decode whole, and for passing some of a
//! recorded answer on.

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sources) struct Field<'a> {
    /// Its number.
    pub(in crate::sources) number: u64,
    /// What it holds.
    pub(in crate::sources) value: Value<'a>,
    /// All its bytes, with number and length.
    pub(in crate::sources) raw: &'a [u8],
}

/// What a field holds, as far as its shape tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sources) enum Value<'a> {
    /// An integer, an enum or a truth value.
    Number(u64),
    /// Text, bytes or a message.
    Bytes(&'a [u8]),
    /// Four or eight bytes of fixed length.
    Fixed,
}

impl<'a> Field<'a> {
    /// The number that it holds; 0 where it holds none.
    pub(in crate::sources) const fn number_value(&self) -> u64 {
        match self.value {
            Value::Number(n) => n,
            Value::Bytes(_) | Value::Fixed => 0,
        }
    }

    /// The bytes that it holds; none where it holds a number.
    pub(in crate::sources) const fn bytes(&self) -> &'a [u8] {
        match self.value {
            Value::Bytes(bytes) => bytes,
            Value::Number(_) | Value::Fixed => &[],
        }
    }
}

/// The bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a protobuf message")]
pub(in crate::sources) struct Malformed;

/// The fields of a message, in their order. Ends after the first error.
#[derive(Clone, Debug)]
pub(in crate::sources) struct Fields<'a> {
    rest: &'a [u8],
}

/// The fields of `message`.
pub(in crate::sources) const fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message }
}

impl<'a> Fields<'a> {
    fn step(&mut self) -> Result<Field<'a>, Malformed> {
        let whole = self.rest;
        let (key, rest) = number(whole)?;
        let (value, rest) = match key & 7 {
            0 => {
                let (n, rest) = number(rest)?;
                (Value::Number(n), rest)
            }
            1 => (Value::Fixed, rest.get(8..).ok_or(Malformed)?),
            2 => {
                let (length, rest) = number(rest)?;
                let length = usize::try_from(length).map_err(|_| Malformed)?;
                let (bytes, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
                (Value::Bytes(bytes), rest)
            }
            5 => (Value::Fixed, rest.get(4..).ok_or(Malformed)?),
            _ => return Err(Malformed),
        };
        self.rest = rest;
        let raw = whole.get(..whole.len() - rest.len()).unwrap_or_default();
        Ok(Field { number: key >> 3, value, raw })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.step();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// A number of variable length and what follows it.
fn number(bytes: &[u8]) -> Result<(u64, &[u8]), Malformed> {
    let mut value = 0_u64;
    let mut rest = bytes;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first().ok_or(Malformed)?;
        rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((value, rest));
        }
    }
    Err(Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;
    use tonic_lnd::lnrpc;

    use super::*;

    #[test]
    fn fields_are_those_of_the_message() {
        let edge =
            lnrpc::ChannelEdge { channel_id: u64::MAX, capacity: -7, node1_pub: "ab".into(), ..Default::default() };
        let bytes = edge.encode_to_vec();
        let found: Vec<_> = fields(&bytes).map(Result::unwrap).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].number_value(), u64::MAX);
        assert_eq!(found[1].bytes(), b"ab");
        assert_eq!(found[2].number_value().cast_signed(), -7);
        assert_eq!(found.iter().map(|f| f.raw.len()).sum::<usize>(), bytes.len());
    }

    #[test]
    fn a_length_beyond_the_end_is_an_error() {
        let found: Vec<_> = fields(&[0x0a, 0x05, 0x01]).collect();
        assert_eq!(found, [Err(Malformed)]);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(fields(&bytes).count() <= bytes.len());
        }
    }
}
