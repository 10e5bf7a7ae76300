//! Every step fails, is late, is answered twice; every compensation fails: a saga ends done, undone, or loudly stuck.

use super::*;
use crate::domain::context::When;
use crate::domain::envelope::Metadata;
use crate::domain::reply::{Ending, RecordAnswer};
use crate::domain::testing::{given, metadata};
use std::collections::VecDeque;

/// A saga with everything it has said and sent, driven by hand.
#[derive(Default)]
struct Run {
    state: State,
    events: Vec<Event>,
    /// Commands that left and were not answered, with the name of their answer.
    asked: VecDeque<(&'static str, String)>,
    timers: Vec<(String, Command)>,
}

impl Run {
    fn start() -> Self {
        let mut run = Self::default();
        run.take(StartMealPlanGeneration::default());
        run
    }

    fn take(&mut self, command: impl Into<Command>) {
        let metadata = Metadata { user: Some("ann".to_owned()), ..metadata() };
        for event in Sagas::decide(&self.state, &command.into(), &(), &metadata).unwrap() {
            Sagas::evolve(&mut self.state, &event);
            for outgoing in Sagas::sends(&self.state, &event, &metadata).unwrap() {
                self.send(outgoing);
            }
            self.events.push(event);
        }
    }

    fn send(&mut self, outgoing: Outgoing) {
        match outgoing.when {
            When::Now => self.asked.push_back((outgoing.type_name, outgoing.reply_step.unwrap())),
            When::At { timer, .. } => {
                self.timers.retain(|(name, _)| *name != timer);
                let command = Command::decode(outgoing.type_name, outgoing.schema_version, &outgoing.body);
                self.timers.push((timer, command.unwrap()));
            }
            When::Never { timer } => self.timers.retain(|(name, _)| *name != timer),
        }
    }

    fn answer(&mut self, step: &str, ending: &Ending) {
        let events = Vec::new();
        self.take(RecordAnswer { step: step.to_owned(), ending: ending.clone(), events });
    }

    /// The oldest open question is answered; returns its name.
    fn answer_next(&mut self, ending: &Ending) -> Option<String> {
        let (_, step) = self.asked.pop_front()?;
        self.answer(&step, ending);
        Some(step)
    }

    /// Everything is done as it is asked, to the end.
    fn go_on(&mut self) {
        while self.answer_next(&Ending::Handled).is_some() {}
    }

    fn until_asked(step: &str) -> Self {
        let mut run = Self::start();
        while run.asked.front().is_some_and(|(_, asked)| asked != step) {
            run.answer_next(&Ending::Handled);
        }
        run
    }

    fn ring(&mut self, timer: &str) {
        let n = self.timers.iter().position(|(name, _)| name == timer).expect("this timer is set");
        let (_, command) = self.timers.remove(n);
        self.take(command);
    }

    fn undone(&self) -> Vec<String> {
        let mut undone = Vec::new();
        for event in &self.events {
            if let Event::StepCompensated(compensated) = event {
                undone.push(compensated.step.clone());
            }
        }
        undone
    }

    fn ends(&self) -> &Stage {
        assert!(self.asked.is_empty() && self.timers.is_empty(), "{:?} {:?}", self.asked, self.timers);
        &self.state.stage
    }
}

fn no() -> Ending {
    Ending::Rejected { rejection: Rejection::conflict("no", "never mind") }
}

fn step_names() -> Vec<String> {
    Run::start().state.steps.into_iter().map(|step| step.name).collect()
}

/// The steps before the `n`-th, in the order in which they are undone.
fn before(n: usize) -> Vec<String> {
    step_names()[..n].iter().rev().cloned().collect()
}

#[test]
fn a_saga_without_trouble_completes_every_step() {
    let mut run = Run::start();
    run.go_on();
    assert_eq!(run.ends(), &Stage::Completed);
    assert!(run.undone().is_empty());
}

#[test]
fn whichever_step_fails_all_before_it_are_undone_in_reverse() {
    for (n, failing) in step_names().iter().enumerate() {
        for ending in [no(), Ending::Dead { reason: "poison".to_owned() }] {
            let mut run = Run::until_asked(failing);
            run.answer_next(&ending);
            run.go_on();
            assert_eq!(run.undone(), before(n), "{failing} fails");
            assert!(matches!(run.ends(), Stage::Failed { .. }));
        }
    }
}

#[test]
fn an_answer_that_comes_twice_changes_nothing() {
    for failing in step_names() {
        let mut run = Run::until_asked(&failing);
        run.answer_next(&no());
        while let Some(step) = run.answer_next(&Ending::Handled) {
            let before = run.events.len();
            run.answer(&step, &Ending::Handled);
            run.answer(&step, &no());
            run.answer(&failing, &Ending::Handled);
            assert_eq!(run.events.len(), before, "{step}");
        }
    }
}

#[test]
fn a_step_that_is_done_after_its_time_is_undone_whenever_its_answer_comes() {
    for (n, late) in step_names().iter().enumerate() {
        for at_the_end in [false, true] {
            let mut run = Run::until_asked(late);
            run.asked.clear();
            run.ring(STEP);
            if at_the_end {
                run.go_on();
                assert!(matches!(run.ends(), Stage::Failed { .. }), "{late}");
            }
            run.answer(late, &Ending::Handled);
            run.go_on();
            let mut undone = run.undone();
            undone.sort_unstable();
            let mut all = step_names()[..=n].to_vec();
            all.sort_unstable();
            assert_eq!(undone, all, "{late}");
            assert!(matches!(run.ends(), Stage::Failed { .. }), "{late}");
        }
    }
}

#[test]
fn a_step_that_was_refused_after_its_time_is_not_undone() {
    for (n, late) in step_names().iter().enumerate() {
        let mut run = Run::until_asked(late);
        run.asked.clear();
        run.ring(STEP);
        run.answer(late, &no());
        run.go_on();
        assert_eq!(run.undone(), before(n), "{late}");
    }
}

#[test]
fn the_whole_saga_has_a_time_out_too() {
    let mut run = Run::until_asked("shopping_list");
    run.asked.clear();
    run.ring(SAGA);
    run.go_on();
    assert_eq!(run.undone(), before(2));
}

#[test]
fn a_compensation_is_tried_again_and_then_the_saga_is_stuck_until_somebody_helps() {
    for (n, failing) in step_names().iter().enumerate().skip(1) {
        let mut run = Run::until_asked(failing);
        run.answer_next(&no());
        let stuck = run.asked[0].1.strip_prefix(UNDO).unwrap().to_owned();
        for _ in 0..4 {
            run.answer_next(&no());
            run.ring(STEP);
        }
        run.answer_next(&no());
        assert!(
            matches!(run.events.last(), Some(Event::SagaStuck(s)) if s.step == stuck),
            "{:?}",
            run.events
        );
        run.take(RetryStep { why: "it works again".to_owned() });
        run.go_on();
        assert_eq!(run.undone(), before(n));
        assert!(matches!(run.ends(), Stage::Failed { .. }));
    }
}

#[test]
fn a_compensation_without_an_answer_is_tried_again() {
    let mut run = Run::until_asked("shopping_list");
    run.answer_next(&no());
    run.asked.clear();
    run.ring(STEP);
    run.ring(STEP);
    assert_eq!(run.asked[0].1, "undo:create_plan#2");
    // The first attempt was only slow.
    run.asked.clear();
    run.answer("undo:create_plan", &Ending::Handled);
    assert!(matches!(run.ends(), Stage::Failed { .. }));
}

fn stuck() -> Run {
    let mut run = Run::until_asked("notify");
    run.answer_next(&no());
    for _ in 0..4 {
        run.answer_next(&no());
        run.ring(STEP);
    }
    run.answer_next(&no());
    run
}

#[test]
fn a_stuck_step_can_be_left_as_it_is() {
    let mut run = stuck();
    run.take(SkipStep { why: "discarded by hand".to_owned() });
    run.go_on();
    assert_eq!(run.undone(), ["calculate_nutrition", "create_plan"]);
    let skipped = run.events.iter().find(|event| matches!(event, Event::StepSkipped(_)));
    let expected =
        StepSkipped { step: "shopping_list".into(), by: "ann".into(), why: "discarded by hand".into() };
    assert_eq!(skipped, Some(&expected.into()));
}

#[test]
fn an_abandoned_saga_sends_nothing_more() {
    for mut run in [Run::until_asked("notify"), stuck()] {
        run.asked.clear();
        run.take(AbandonSaga { why: "enough".to_owned() });
        assert_eq!(run.ends(), &Stage::Abandoned);
        run.answer("notify", &Ending::Handled);
        assert_eq!(run.ends(), &Stage::Abandoned);
    }
}

#[test]
fn a_running_saga_can_be_sent_back_and_what_was_on_its_way_is_undone_too() {
    let mut run = Run::until_asked("shopping_list");
    run.take(CompensateSaga { why: "the wrong week".to_owned() });
    run.go_on();
    assert_eq!(run.undone(), ["calculate_nutrition", "create_plan", "shopping_list"]);
}

#[test]
fn a_skipped_step_that_is_done_after_all_is_undone_with_the_others() {
    let mut run = Run::until_asked("shopping_list");
    let late = run.asked.pop_front().unwrap();
    run.take(SkipStep { why: "we have one".to_owned() });
    assert_eq!(run.asked[0].1, "notify");
    run.answer(&late.1, &Ending::Handled);
    run.answer_next(&no());
    run.go_on();
    assert_eq!(run.undone(), before(3));
}

#[test]
fn verbs_that_make_no_sense_are_refused_with_what_does() {
    let verb = |state: &State, command: Command| Sagas::decide(state, &command, &(), &metadata());
    let why = || "why not".to_owned();
    let mut done = Run::start();
    done.go_on();
    for command in [RetryStep { why: why() }.into(), AbandonSaga { why: why() }.into()] {
        assert!(verb(&done.state, command).is_err());
    }
    let none = verb(&State::default(), SkipStep { why: why() }.into()).unwrap_err();
    assert_eq!(none.kind, crate::domain::context::RejectionKind::NotFound);
    assert!(verb(&Run::start().state, RetryStep { why: why() }.into()).unwrap_err().hint.contains("skipped"));
    assert!(Sagas::check(&AbandonSaga { why: "  ".to_owned() }.into()).is_err());
}

/// As the program before this one has stored it.
fn started_by_the_older_program() -> SagaStarted {
    let flow = StartMealPlanGeneration::default().flow(&metadata());
    let flow = serde_json::json!(Flow::from(flow));
    let steps = ["create_plan", "shopping_list", "activate_plan"];
    serde_json::from_value(serde_json::json!({ "flow": flow, "steps": steps })).unwrap()
}

#[test]
fn a_saga_follows_the_definition_it_was_started_with() {
    let started = started_by_the_older_program();
    assert_eq!(started.definition, 1);
    let done = |step: &str| StepCompleted { step: step.to_owned() }.into();
    let state = given::<Sagas>(&[started.clone().into(), done("create_plan")]);
    let mut run = Run { state, ..Run::default() };
    run.answer("shopping_list", &Ending::Handled);
    assert_eq!(run.asked, [("ActivateMealPlan", "activate_plan".to_owned())]);
    run.go_on();
    assert_eq!(run.ends(), &Stage::Completed);

    let state = given::<Sagas>(&[started.into(), done("create_plan"), done("shopping_list")]);
    let mut run = Run { state, ..Run::default() };
    run.answer("activate_plan", &no());
    run.go_on();
    assert_eq!(run.undone(), ["shopping_list", "create_plan"]);
}

#[test]
fn a_definition_of_a_newer_program_is_refused_and_not_guessed() {
    let started = SagaStarted { definition: 99, ..started_by_the_older_program() };
    let done = Event::from(StepCompleted { step: "create_plan".to_owned() });
    let state = given::<Sagas>(&[started.into(), done.clone()]);
    assert!(Sagas::sends(&state, &done, &metadata()).is_err(), "the answer becomes a dead letter");
}
