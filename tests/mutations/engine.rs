//! Makes inputs: whole ones with a few things done to them that break parsers.

/// The longest input that is made.
const LONGEST: usize = 256 << 10;

/// Numbers that look random, the same for the same seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `end`, which is not among them; 0 where there is nothing to choose from.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.roll().to_le_bytes()[0]
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> Option<&'a T> {
        all.get(self.below(all.len())).copied()
    }

    /// A part of something of this length, more often a short one.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.below(length + 1);
        let most = if self.below(4) == 0 { length - from } else { (length - from).min(32) };
        from..from + self.below(most + 1)
    }
}

/// Numbers that are hard to hold, as text.
const NUMBERS: &[&[u8]] = &[
    b"0",
    b"-0",
    b"-1",
    b"1e400",
    b"-1e400",
    b"1e-400",
    b"NaN",
    b"0.1",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"18446744073709551615",
    b"18446744073709551616",
    b"2100000000000001",
    b"4294967296",
    b"99999999999999999999999999999999999999",
    b"253402300800",
    b"-62135596801",
];

/// Numbers that are hard to hold, as protobuf and macaroons write them.
const LENGTHS: &[&[u8]] = &[
    b"\x00",
    b"\x7f",
    b"\x80\x01",
    b"\xff\xff\x03",
    b"\xff\xff\xff\xff\x07",
    b"\xff\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80",
];

/// Text that does something elsewhere than where it stands.
const TEXTS: &[&[u8]] = &[
    b"\x1b[2J",
    b"\xc2\x9b",
    b"\xe2\x80\xae",
    b"\xe2\x80\x8b",
    b"\0",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xed\xa0\x80",
    b"<script>",
    b"](http://x)",
    b"=1+1",
    b"%00",
    b"%",
    b"\\u0000",
    b"\\ud800",
    b"\"",
    b"\\",
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"../",
    b"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9",
];

/// One of the corpus with one to eight things done to it; now and then bytes without any sense.
pub(crate) fn mutate(dice: &mut Dice, corpus: &[Vec<u8>], words: &[&[u8]]) -> Vec<u8> {
    if dice.below(50) == 0 {
        let length = dice.below(200);
        return (0..length).map(|_| dice.byte()).collect();
    }
    let mut input = corpus[dice.below(corpus.len())].clone();
    for _ in 0..=dice.below(8) {
        change(dice, &mut input, corpus, words);
    }
    input.truncate(LONGEST);
    input
}

fn change(dice: &mut Dice, input: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&[u8]]) {
    let at = dice.below(input.len());
    let range = dice.range(input.len());
    match dice.below(15) {
        0 | 1 if !input.is_empty() => input[at] ^= 1 << dice.below(8),
        2 if !input.is_empty() => input[at] = dice.byte(),
        3 if !input.is_empty() => input[at] = input[at].wrapping_add(if dice.below(2) == 0 { 1 } else { 255 }),
        4 => input.truncate(at),
        5 => drop(input.drain(range)),
        // A field that is there twice, or very often.
        6 => {
            let part = input[range.clone()].repeat(if dice.below(20) == 0 { 200 } else { 1 });
            insert(input, range.end, &part);
        }
        // Another one's end, or a part of it.
        7 => {
            let other = &corpus[dice.below(corpus.len())];
            input.truncate(at);
            input.extend_from_slice(&other[dice.below(other.len() + 1)..]);
        }
        8 => {
            let other = &corpus[dice.below(corpus.len())];
            let part = other[dice.range(other.len())].to_vec();
            input.splice(range, part);
        }
        9 => {
            let length = dice.of(LENGTHS).unwrap_or_default();
            input.splice(range.start..range.end.min(range.start + 1), length.iter().copied());
        }
        10 | 11 => number(dice, input, at),
        12 => insert(input, at, dice.of(TEXTS).unwrap_or_default()),
        13 => insert(input, at, dice.of(words).unwrap_or_default()),
        // Deeper than a stack.
        14 if dice.below(50) == 0 => {
            let open = dice.of::<[u8]>(&[b"[", b"{\"a\":", b"\x0a\x7f", b"("]).unwrap_or_default();
            insert(input, at, &open.repeat(20_000));
        }
        _ => {}
    }
}

fn insert(input: &mut Vec<u8>, at: usize, part: &[u8]) {
    input.splice(at..at, part.iter().copied());
}

/// Puts another number where there is one, at or after `at`.
fn number(dice: &mut Dice, input: &mut Vec<u8>, at: usize) {
    let Some(start) = input[at..].iter().position(u8::is_ascii_digit).map(|n| at + n) else { return };
    let end = input[start..].iter().position(|b| !b.is_ascii_digit()).map_or(input.len(), |n| start + n);
    let other = dice.of(NUMBERS).unwrap_or_default();
    input.splice(start..end, other.iter().copied());
}
