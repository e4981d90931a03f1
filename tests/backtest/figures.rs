//! Statistics and tables against numbers worked out by hand.

use crate::markdown::{BEGIN, END, Table, of, percent, ratio, replaced, sats};
use crate::statistics::{mean, median, quantile, real, share, spearman};

fn near(found: Option<f64>, wanted: f64) {
    let found = found.unwrap();
    assert!((found - wanted).abs() < 1e-9, "{found}, not {wanted}");
}

#[test]
fn quantiles_lie_between_two_values_in_proportion() {
    // Places 0 to 4; the 10th percentile is at place 0.4, between 1 and 2.
    let sample = [5.0, 1.0, 4.0, 2.0, 30.0];
    near(quantile(&sample, 0.0), 1.0);
    near(quantile(&sample, 0.1), 1.4);
    near(quantile(&sample, 0.25), 2.0);
    near(median(&sample), 4.0);
    near(quantile(&sample, 0.9), 20.0);
    near(quantile(&sample, 1.0), 30.0);
    near(median(&[1.0, 2.0]), 1.5);
    near(median(&[7.0]), 7.0);
    assert_eq!(median(&[]), None);
}

#[test]
fn spearman_of_a_textbook_sample() {
    // Ranks 1..5 against 2 1 4 3 5: squared differences 1 + 1 + 1 + 1 + 0, so 1 - 6 * 4 / (5 * 24) = 0.8.
    let pairs = [(10.0, 2.0), (20.0, 1.0), (30.0, 40.0), (40.0, 3.0), (50.0, 500.0)];
    near(spearman(&pairs), 0.8);
    let reversed: Vec<(f64, f64)> = pairs.iter().map(|(a, b)| (*a, -b)).collect();
    near(spearman(&reversed), -0.8);
}

#[test]
fn equal_values_share_the_mean_of_their_ranks() {
    // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: deviations -1.5 0 0 1.5 and -1.5 -0.5 0.5 1.5;
    // 4.5 / sqrt(4.5 * 5).
    near(spearman(&[(1.0, 1.0), (2.0, 2.0), (2.0, 3.0), (3.0, 4.0)]), 4.5 / 22.5_f64.sqrt());
    assert_eq!(spearman(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None, "one side is all the same");
    assert_eq!(spearman(&[(1.0, 1.0), (2.0, 2.0)]), None, "two pairs");
}

#[test]
fn shares_and_amounts() {
    near(share(&[1, 2, 3, 4], |n| *n > 1), 0.75);
    assert_eq!(share(&[0; 0], |_| true), None);
    near(mean(&[1.0, 2.0, 6.0]), 3.0);
    for amount in [0, 1, -1, 999_999_999_999, -5_000_000_000, i64::from(i32::MIN)] {
        let text = format!("{:.0}", real(amount));
        assert_eq!(text, amount.to_string());
    }
}

#[test]
fn numbers_as_people_read_them() {
    assert_eq!(percent(Some(0.825)), "82 %");
    assert_eq!(percent(None), "–");
    assert_eq!(ratio(Some(0.876)), "0.88");
    assert_eq!(ratio(Some(-0.001)), "0.00");
    assert_eq!(sats(Some(-1_234_567.4)), "-1,234,567");
    assert_eq!(sats(Some(999.6)), "1,000");
    assert_eq!(sats(Some(-0.4)), "0");
    assert_eq!(of(1, 4), "1 of 4 (25 %)");
}

#[test]
fn a_table() {
    let mut table = Table::new("Title", &["what", "n"]);
    table.row(vec!["a".to_owned(), "1".to_owned()]);
    assert_eq!(table.text(), "### Title\n| what | n |\n| --- | ---: |\n| a | 1 |\n\n");
}

#[test]
fn results_take_the_place_of_older_ones() {
    let document = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
    assert_eq!(replaced(&document, "new\n\n").unwrap(), format!("before\n{BEGIN}\nnew\n{END}\nafter\n"));
    assert_eq!(replaced("nothing to replace", "new"), None);
    assert_eq!(replaced(&format!("{END}{BEGIN}"), "new"), None, "marks in the wrong order");
}
