//! Amounts on a shopping list: exact, rounded up to what one can buy, and in words.

use crate::domain::measure::Milli;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one of a food is called and weighs, such as an onion of 110 g.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    pub name: String,
    pub grams: Milli,
}

/// How much to buy, beside the exact need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Amount {
    Weight {
        exact_g: Milli,
        buy_g: Milli,
    },
    Volume {
        exact_g: Milli,
        exact_ml: Milli,
        buy_ml: Milli,
        buy_g: Milli,
    },
    Pieces {
        exact_g: Milli,
        piece: Piece,
        count: u64,
        buy_g: Milli,
    },
    /// No recipe's line could be measured.
    Unknown {},
}

/// What rounding may have added to one need on its way here; that much is not rounded up to the next package.
pub(super) const SLACK: Milli = Milli(10);

impl Amount {
    pub(super) fn weight(exact_g: Milli, needs: usize) -> Self {
        Self::Weight { exact_g, buy_g: buyable(less_slack(exact_g, needs)) }
    }

    pub(super) fn volume(exact_g: Milli, needs: usize, density_g_per_ml: Milli) -> Self {
        let in_ml = |grams: Milli| ratio_up(grams, 1000, density_g_per_ml.0);
        let buy_ml = buyable(in_ml(less_slack(exact_g, needs)));
        let buy_g = ratio_up(buy_ml, density_g_per_ml.0, 1000);
        Self::Volume { exact_g, exact_ml: in_ml(exact_g), buy_ml, buy_g }
    }

    pub(super) fn pieces(exact_g: Milli, needs: usize, piece: &Piece) -> Self {
        let each = piece.grams.0.max(1);
        let count = less_slack(exact_g, needs).0.saturating_add(each - 1) / each;
        let buy_g = Milli(count.saturating_mul(each));
        Self::Pieces { exact_g, piece: piece.clone(), count: count.unsigned_abs(), buy_g }
    }

    /// The sum of the measured needs.
    #[must_use]
    pub const fn exact_g(&self) -> Option<Milli> {
        match self {
            Self::Weight { exact_g, .. } | Self::Volume { exact_g, .. } | Self::Pieces { exact_g, .. } => {
                Some(*exact_g)
            }
            Self::Unknown {} => None,
        }
    }

    /// What the bought amount weighs; short of the need by a hundredth of a gram a need at most.
    #[must_use]
    pub const fn buy_g(&self) -> Option<Milli> {
        match self {
            Self::Weight { buy_g, .. } | Self::Volume { buy_g, .. } | Self::Pieces { buy_g, .. } => {
                Some(*buy_g)
            }
            Self::Unknown {} => None,
        }
    }

    /// `350 g`, `1.2 kg`, `500 ml`, `1.5 l`, `3 onions (about 330 g)`; empty when nothing is known.
    #[must_use]
    pub fn display(&self) -> String {
        match self {
            Self::Weight { buy_g, .. } => with_unit(*buy_g, "g", "kg"),
            Self::Volume { buy_ml, .. } => with_unit(*buy_ml, "ml", "l"),
            Self::Pieces { piece, count, buy_g, .. } => {
                let name = if *count == 1 { piece.name.trim().to_owned() } else { plural(piece.name.trim()) };
                let about = with_unit(Milli::whole(buy_g.rounded().min(i64::MAX / 1000)), "g", "kg");
                format!("{} (about {about})", format!("{count} {name}").trim_end())
            }
            Self::Unknown {} => String::new(),
        }
    }
}

/// Up to the next 5 below 50, the next 10 to 250, the next 50 to 1000, the next 100 above.
fn buyable(exact: Milli) -> Milli {
    let step = match exact.0 {
        ..50_000 => 5_000,
        50_000..=250_000 => 10_000,
        250_001..=1_000_000 => 50_000,
        _ => 100_000,
    };
    ratio_up(Milli(ratio_up(exact, 1, step).0.saturating_mul(step)), 1, 1)
}

fn less_slack(exact_g: Milli, needs: usize) -> Milli {
    let slack = i64::try_from(needs).unwrap_or(i64::MAX).saturating_mul(SLACK.0);
    if exact_g.0 > slack { Milli(exact_g.0 - slack) } else { exact_g }
}

/// `amount * numerator / denominator`, rounded up; saturates.
fn ratio_up(amount: Milli, numerator: i64, denominator: i64) -> Milli {
    let divisor = i128::from(denominator.max(1));
    let up = (i128::from(amount.0) * i128::from(numerator) + divisor - 1).div_euclid(divisor);
    Milli(i64::try_from(up).unwrap_or(i64::MAX))
}

fn with_unit(amount: Milli, small: &str, large: &str) -> String {
    if amount >= Milli::whole(1000) {
        format!("{} {large}", amount.scale(1, 1000))
    } else {
        format!("{amount} {small}")
    }
}

/// The plural of a piece's name; what follows a comma or bracket stays as it is.
fn plural(name: &str) -> String {
    const UNCHANGED: [&str; 14] = [
        "small",
        "medium",
        "large",
        "whole",
        "each",
        "piece(s)",
        "tbsp",
        "tsp",
        "oz",
        "lb",
        "g",
        "ml",
        "extra-large",
        "fish",
    ];
    let end = name.find([',', '(']).unwrap_or(name.len());
    let (head, rest) = (name[..end].trim_end(), &name[name[..end].trim_end().len()..]);
    let lower = head.to_lowercase();
    let last = lower.rsplit(' ').next().unwrap_or_default();
    if head.is_empty() || UNCHANGED.contains(&last) || (last.ends_with('s') && !last.ends_with("ss")) {
        return name.to_owned();
    }
    let (cut, ending) = match last {
        "leaf" | "loaf" | "half" => (1, "ves"),
        "potato" | "tomato" | "mango" => (0, "es"),
        _ if ["ss", "x", "ch", "sh"].iter().any(|end| last.ends_with(end)) => (0, "es"),
        _ if last.ends_with('y') && !["ay", "ey", "oy", "uy"].iter().any(|end| last.ends_with(end)) => {
            (1, "ies")
        }
        _ => (0, "s"),
    };
    format!("{}{ending}{rest}", head.get(..head.len() - cut).unwrap_or(head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn weights_are_rounded_up_to_what_one_can_buy() {
        for (milligrams, shown) in [
            (0, "0 g"),
            (1, "5 g"),
            (5_000, "5 g"),
            (5_011, "10 g"),
            (49_000, "50 g"),
            (50_000, "50 g"),
            (51_000, "60 g"),
            (250_000, "250 g"),
            (250_009, "250 g"),
            (250_011, "300 g"),
            (951_000, "1 kg"),
            (1_000_000, "1 kg"),
            (1_001_000, "1.1 kg"),
            (2_345_000, "2.4 kg"),
        ] {
            assert_eq!(Amount::weight(Milli(milligrams), 1).display(), shown, "{milligrams}");
        }
    }

    #[test]
    fn volumes_are_shown_in_millilitres_and_litres() {
        let milk = Milli(1030);
        assert_eq!(Amount::volume(Milli::whole(206), 1, milk).display(), "200 ml");
        assert_eq!(Amount::volume(Milli::whole(1030), 1, milk).display(), "1 l");
        assert_eq!(Amount::volume(Milli::whole(1500), 1, milk).display(), "1.5 l");
        assert_eq!(Amount::volume(Milli::whole(9), 1, Milli(915)).display(), "10 ml");
    }

    #[test]
    fn pieces_are_whole_with_their_weight_beside() {
        for (name, each, grams, shown) in [
            ("onion", 110, 300, "3 onions (about 330 g)"),
            ("onion", 110, 330, "3 onions (about 330 g)"),
            ("onion", 110, 1, "1 onion (about 110 g)"),
            ("clove", 3, 8, "3 cloves (about 9 g)"),
            ("medium", 61, 100, "2 medium (about 122 g)"),
            ("egg, large", 50, 1000, "20 eggs, large (about 1 kg)"),
            ("bay leaf", 1, 2, "2 bay leaves (about 2 g)"),
            ("anchovy", 4, 8, "2 anchovies (about 8 g)"),
            ("Radish", 5, 8, "2 Radishes (about 10 g)"),
            ("", 5, 8, "2 (about 10 g)"),
        ] {
            let piece = Piece { name: name.to_owned(), grams: Milli::whole(each) };
            assert_eq!(Amount::pieces(Milli::whole(grams), 1, &piece).display(), shown);
        }
    }

    #[test]
    fn a_third_three_times_is_one_piece() {
        let piece = Piece { name: "onion".to_owned(), grams: Milli::whole(110) };
        let thirds = Milli(36_667 * 3);
        assert_eq!(Amount::pieces(thirds, 3, &piece).display(), "1 onion (about 110 g)");
    }

    #[test]
    fn amounts_travel_as_tagged_json() {
        let json = serde_json::to_value(Amount::weight(Milli(12_500), 1)).unwrap();
        assert_eq!(json, serde_json::json!({"kind": "weight", "exact_g": 12.5, "buy_g": 15}));
        assert!(serde_json::from_value::<Amount>(serde_json::json!({"kind": "unknown", "x": 1})).is_err());
    }

    proptest! {
        #[test]
        fn plurals_never_panic(name in "(é|ß|İ|y|leaf| |,|\\(|ss){0,6}|.*") {
            plural(&name);
        }

        #[test]
        fn weights_never_fall_short(exact in 0..i64::MAX, needs in 0..50_usize) {
            let slack = i64::try_from(needs).unwrap() * SLACK.0;
            let buy = Amount::weight(Milli(exact), needs).buy_g().unwrap();
            prop_assert!(buy.0 >= exact.saturating_sub(slack));
        }
    }
}
