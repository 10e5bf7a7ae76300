//! Every step fails once and every compensation too: a saga ends done, undone, or loudly stuck.

use super::*;
use crate::domain::testing::metadata;

/// Runs a saga whose step `failing` is refused; answers its events and the commands it sent.
fn run(failing: Option<&str>) -> (Vec<Event>, Vec<&'static str>) {
    let (mut state, mut events, mut sent) = (State::default(), Vec::new(), Vec::new());
    let mut inbox = vec![Command::from(StartMealPlanGeneration::default())];
    while let Some(command) = inbox.pop() {
        for event in Sagas::decide(&state, &command, &(), &metadata()).unwrap() {
            Sagas::evolve(&mut state, &event);
            for outgoing in Sagas::sends(&state, &event, &metadata()).unwrap() {
                let step = outgoing.reply_step.clone().unwrap();
                let no = Rejection::conflict("no", "never mind");
                let ending = match failing == Some(step.as_str()) {
                    true => Ending::Rejected { rejection: no },
                    false => Ending::Handled,
                };
                sent.push(outgoing.type_name);
                inbox.push(RecordAnswer { step, ending, events: Vec::new() }.into());
            }
            events.push(event);
        }
    }
    (events, sent)
}

fn step_names() -> Vec<String> {
    let (events, _) = run(None);
    let Event::SagaStarted(started) = &events[0] else { panic!("{events:?}") };
    started.steps.clone()
}

#[test]
fn a_saga_without_trouble_completes_every_step() {
    let (events, sent) = run(None);
    assert_eq!(sent, ["GenerateMealPlan", "CreateShoppingList", "ActivateMealPlan"]);
    assert_eq!(events.last(), Some(&SagaCompleted {}.into()));
}

#[test]
fn whichever_step_fails_all_before_it_are_undone_in_reverse() {
    for (n, failing) in step_names().iter().enumerate() {
        let (events, _) = run(Some(failing));
        let undone: Vec<_> = events
            .iter()
            .filter_map(|event| {
                if let Event::StepCompensated(undone) = event { Some(undone.step.clone()) } else { None }
            })
            .collect();
        let expected: Vec<_> = step_names()[..n].iter().rev().cloned().collect();
        assert_eq!(undone, expected, "{failing} fails");
        assert!(matches!(events.last(), Some(Event::SagaFailed(_))), "{events:?}");
    }
}

#[test]
fn an_answer_that_comes_twice_changes_nothing() {
    let mut state = State::default();
    let start = Command::from(StartMealPlanGeneration::default());
    for event in Sagas::decide(&state, &start, &(), &metadata()).unwrap() {
        Sagas::evolve(&mut state, &event);
    }
    let answer = Command::from(RecordAnswer {
        step: "create_plan".to_owned(),
        ending: Ending::Handled,
        events: Vec::new(),
    });
    for event in Sagas::decide(&state, &answer, &(), &metadata()).unwrap() {
        Sagas::evolve(&mut state, &event);
    }
    assert_eq!(Sagas::decide(&state, &answer, &(), &metadata()), Ok(vec![]));
}

#[test]
fn a_compensation_that_fails_leaves_the_saga_stuck() {
    let mut state = State::default();
    for event in [
        Sagas::decide(&state, &StartMealPlanGeneration::default().into(), &(), &metadata())
            .unwrap()
            .remove(0),
        StepCompleted { step: "create_plan".to_owned() }.into(),
        StepFailed { step: "shopping_list".to_owned(), error: "no".to_owned() }.into(),
    ] {
        Sagas::evolve(&mut state, &event);
    }
    let ending = Ending::Dead { reason: "poison".to_owned() };
    let answer = RecordAnswer { step: "undo:create_plan".to_owned(), ending, events: Vec::new() };
    let events = Sagas::decide(&state, &answer.into(), &(), &metadata()).unwrap();
    assert!(matches!(events.as_slice(), [Event::SagaStuck(_)]), "{events:?}");
}
