//! Given / when / then for breakers, and a comparison with a model that is too simple to be wrong.

use super::*;
use crate::domain::testing::{given, metadata};
use chrono::TimeDelta;
use proptest::prelude::*;

fn at(ms: i64) -> Metadata {
    Metadata { time: metadata().time + TimeDelta::milliseconds(ms), ..metadata() }
}

fn decide(state: &Breaker, command: impl Into<Command>) -> Vec<Event> {
    Breakers::decide(state, &command.into(), &(), &metadata()).unwrap()
}

fn after(state: &Breaker, command: impl Into<Command>) -> Breaker {
    let mut state = state.clone();
    for event in decide(&state.clone(), command) {
        Breakers::evolve(&mut state, &event);
    }
    state
}

fn failure(state: &Breaker) -> Breaker {
    after(state, RecordFailure { turn: state.turn, error: "no".into() })
}

fn success(state: &Breaker) -> Breaker {
    after(state, RecordSuccess { turn: state.turn })
}

fn open() -> Breaker {
    (0..5).fold(Breaker::default(), |state, _| failure(&state))
}

fn half_open() -> Breaker {
    after(&open(), EndRest { turn: open().turn })
}

#[test]
fn five_failures_in_a_row_open_it_for_half_a_minute() {
    let four = (0..4).fold(Breaker::default(), |state, _| failure(&state));
    assert_eq!(four.circuit, Circuit::Closed { failures: 4 });
    let events = decide(&four, RecordFailure { turn: 0, error: "down".into() });
    let now = metadata().time;
    let until = now + TimeDelta::seconds(30);
    assert_eq!(events, [BreakerOpened { turn: 1, at: now, until, error: "down".into() }.into()]);
    let sent = Breakers::sends(&given::<Breakers>(&events), &events[0], &metadata()).unwrap();
    let expected =
        Outgoing::new::<Breakers>(metadata().key, &EndRest { turn: 1 }.into()).unwrap().at(until, "rest");
    assert_eq!(sent, [expected]);
}

#[test]
fn a_success_between_failures_begins_the_count_anew() {
    let four = (0..4).fold(Breaker::default(), |state, _| failure(&state));
    let state = failure(&success(&four));
    assert_eq!(state.circuit, Circuit::Closed { failures: 1 });
}

#[test]
fn successes_of_a_healthy_service_write_nothing() {
    assert_eq!(decide(&Breaker::default(), RecordSuccess { turn: 0 }), []);
}

#[test]
fn one_answered_probe_closes_it_and_one_failed_probe_opens_it_again() {
    assert_eq!(success(&half_open()).circuit, Circuit::Closed { failures: 0 });
    assert!(matches!(failure(&half_open()).circuit, Circuit::Open { .. }));
}

#[test]
fn as_many_probes_as_wanted_close_it() {
    let configured = after(
        &Breaker::default(),
        ConfigureBreaker {
            settings: Settings { failures_to_open: 1, successes_to_close: 2, ..Settings::default() },
        },
    );
    let open = failure(&configured);
    let half_open = after(&open, EndRest { turn: open.turn });
    let one = success(&half_open);
    assert_eq!(one.circuit, Circuit::HalfOpen { successes: 1 });
    assert_eq!(success(&one).circuit, Circuit::Closed { failures: 0 });
}

#[test]
fn what_was_let_through_before_a_transition_says_nothing_after_it() {
    for state in [open(), half_open(), success(&half_open())] {
        let old = state.turn - 1;
        assert_eq!(decide(&state, RecordFailure { turn: old, error: "late".into() }), []);
        assert_eq!(decide(&state, RecordSuccess { turn: old }), []);
        assert_eq!(decide(&state, EndRest { turn: old }), []);
    }
}

#[test]
fn the_operators_order_holds_until_it_is_released() {
    let open = after(&Breaker::default(), ForceOpen { why: "maintenance".into() });
    assert_eq!((open.circuit, open.turn), (Circuit::ForcedOpen, 1));
    assert_eq!(open.reason, Some(Reason { by: "operator".into(), why: "maintenance".into() }));
    assert_eq!(success(&open), open);
    assert_eq!(after(&open, EndRest { turn: open.turn }), open);
    assert_eq!(after(&open, Release { why: "over".into() }).circuit, Circuit::HalfOpen { successes: 0 });

    let closed = after(&open, ForceClosed { why: "it is fine".into() });
    assert_eq!(closed.circuit, Circuit::ForcedClosed);
    assert_eq!((0..9).fold(closed.clone(), |state, _| failure(&state)), closed);
    assert_eq!(after(&closed, Release { why: "over".into() }).circuit, Circuit::Closed { failures: 0 });
}

#[test]
fn an_order_takes_the_pending_end_of_the_rest_away() {
    let event = decide(&open(), ForceClosed { why: "it is fine".into() }).remove(0);
    assert_eq!(Breakers::sends(&open(), &event, &metadata()).unwrap(), [Outgoing::cancelled("rest")]);
}

#[test]
fn nothing_is_released_that_is_not_forced() {
    let release = Release { why: "x".into() }.into();
    for state in [Breaker::default(), open(), half_open()] {
        assert!(Breakers::decide(&state, &release, &(), &metadata()).is_err());
    }
}

#[test]
fn an_order_without_a_reason_and_absurd_settings_are_refused() {
    assert!(Breakers::check(&ForceOpen { why: "  ".into() }.into()).is_err());
    for settings in [
        Settings { failures_to_open: 0, ..Settings::default() },
        Settings { probes: 0, ..Settings::default() },
        Settings { successes_to_close: 2000, ..Settings::default() },
        Settings { rest_ms: u64::MAX, ..Settings::default() },
    ] {
        assert!(Breakers::check(&ConfigureBreaker { settings }.into()).is_err());
    }
    assert!(Breakers::check(&ConfigureBreaker { settings: Settings::default() }.into()).is_ok());
}

/// What is told to a breaker, at some time.
#[derive(Clone, Copy, Debug)]
enum Told {
    Failure,
    Success,
    /// A verdict of the turn before.
    Stale,
    /// The timer of the last opening rings.
    Rested,
    Open,
    Close,
    Release,
}

/// A breaker in flags and counters: no turns, no times, no events.
#[derive(Debug, Default, PartialEq)]
struct Model {
    in_a_row: u32,
    open: bool,
    probing: bool,
    forced: Option<bool>,
}

impl Model {
    fn hear(&mut self, told: Told) {
        match told {
            Told::Open => *self = Self { forced: Some(true), ..Self::default() },
            Told::Close => *self = Self { forced: Some(false), ..Self::default() },
            Told::Release => {
                if let Some(was_open) = self.forced {
                    *self = Self { probing: was_open, ..Self::default() };
                }
            }
            Told::Stale => {}
            Told::Failure | Told::Success | Told::Rested if self.forced.is_some() => {}
            Told::Rested => self.probing = self.probing || std::mem::take(&mut self.open),
            Told::Failure | Told::Success if self.open => {}
            Told::Failure => {
                self.in_a_row += 1;
                if self.probing || self.in_a_row == 3 {
                    *self = Self { open: true, ..Self::default() };
                }
            }
            Told::Success => *self = Self::default(),
        }
    }

    fn of(breaker: &Breaker) -> Self {
        match breaker.circuit {
            Circuit::Closed { failures } => Self { in_a_row: failures, ..Self::default() },
            Circuit::Open { .. } => Self { open: true, ..Self::default() },
            Circuit::HalfOpen { .. } => Self { probing: true, ..Self::default() },
            Circuit::ForcedOpen => Self { forced: Some(true), ..Self::default() },
            Circuit::ForcedClosed => Self { forced: Some(false), ..Self::default() },
        }
    }
}

fn told() -> impl Strategy<Value = Told> {
    prop_oneof![
        6 => Just(Told::Failure), 3 => Just(Told::Success), 2 => Just(Told::Stale), 3 => Just(Told::Rested),
        1 => Just(Told::Open), 1 => Just(Told::Close), 1 => Just(Told::Release),
    ]
}

fn command(told: Told, breaker: &Breaker) -> Command {
    let (turn, why) = (breaker.turn, "why".to_owned());
    match told {
        Told::Failure => RecordFailure { turn, error: "no".into() }.into(),
        Told::Success => RecordSuccess { turn }.into(),
        Told::Stale => RecordFailure { turn: turn.wrapping_sub(1), error: "late".into() }.into(),
        Told::Rested => EndRest { turn }.into(),
        Told::Open => ForceOpen { why }.into(),
        Told::Close => ForceClosed { why }.into(),
        Told::Release => Release { why }.into(),
    }
}

proptest! {
    #[test]
    fn a_breaker_does_what_the_model_does(all in proptest::collection::vec(told(), 0..60)) {
        let settings = Settings { failures_to_open: 3, ..Settings::default() };
        let mut breaker = Breaker { settings, ..Breaker::default() };
        let mut model = Model::default();
        for (n, told) in all.into_iter().enumerate() {
            let before = breaker.clone();
            let metadata = at(n as i64 * 1000);
            let events = Breakers::decide(&breaker, &command(told, &breaker), &(), &metadata).unwrap_or_default();
            prop_assert!(events.len() <= 1);
            for event in &events {
                Breakers::evolve(&mut breaker, event);
            }
            model.hear(told);
            prop_assert_eq!(Model::of(&breaker), Model { in_a_row: model.in_a_row * u32::from(!model.probing), ..model });
            model = Model::of(&breaker);
            let moved = std::mem::discriminant(&before.circuit) != std::mem::discriminant(&breaker.circuit);
            prop_assert_eq!(breaker.turn, before.turn + u64::from(moved));
            prop_assert_eq!(breaker.since, if moved { Some(metadata.time) } else { before.since });
            if let Circuit::Open { until } = breaker.circuit {
                prop_assert_eq!(Some(until - TimeDelta::seconds(30)), breaker.since);
            }
        }
    }
}
