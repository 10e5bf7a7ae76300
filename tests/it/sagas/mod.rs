//! Every registered saga, over the real contexts: each step and each compensation fails, comes twice, is late; the
//! power goes out between any two of them. A saga ends done, or with a clean slate, or stuck and says so. A new flow
//! is covered without a new test.

mod calendar;
mod theatre;
mod unruly;

use crate::support::world::worlds_over_both_engines;
use theatre::{Asked, Theatre, outcome_of};

worlds_over_both_engines!(
    whichever_step_is_refused_the_slate_is_clean,
    whichever_compensation_is_refused_it_is_tried_again_then_stuck_until_somebody_helps,
    every_step_every_compensation_and_every_answer_may_come_twice,
    whichever_step_is_late_it_is_undone_when_it_is_done_after_all,
    the_power_goes_out_between_any_two_steps_forwards_and_backwards,
);

/// Its steps in order, learned by watching one go through.
async fn rehearsed(theatre: &Theatre, flow: &str) -> Vec<Asked> {
    let saga = theatre.begin(flow, |_| {}).await;
    let row = theatre.ended(saga).await;
    assert_eq!(outcome_of(&row), "completed", "{row:?}");
    assert!(row.steps.iter().all(|step| step.status == "completed"), "{row:?}");
    let asked = theatre.asked(saga).await;
    assert_eq!(asked.len(), row.steps.len());
    asked
}

/// How many commands of the same type come before the `n`-th.
fn nth(asked: &[Asked], n: usize) -> usize {
    asked[..n].iter().filter(|earlier| earlier.type_name == asked[n].type_name).count()
}

async fn whichever_step_is_refused_the_slate_is_clean() {
    let theatre = Theatre::open().await;
    for flow in meal_planner::domain::sagas::FLOWS {
        let steps = rehearsed(&theatre, flow).await;
        for (n, step) in steps.iter().enumerate() {
            let from = nth(&steps, n);
            let saga = theatre.begin(flow, |id| unruly::refuse(id, &step.type_name, from, from + 1)).await;
            let row = theatre.ended(saga).await;
            assert_eq!(outcome_of(&row), "failed", "{} is refused: {row:?}", step.step);
            assert_eq!(row.steps[n].status, "failed");
            theatre.is_clean(&row).await;
        }
    }
}

async fn whichever_compensation_is_refused_it_is_tried_again_then_stuck_until_somebody_helps() {
    let theatre = Theatre::open().await;
    for flow in meal_planner::domain::sagas::FLOWS {
        let steps = rehearsed(&theatre, flow).await;
        let last = steps.len() - 1;
        let refuse_last =
            |id| unruly::refuse(id, &steps[last].type_name, nth(&steps, last), nth(&steps, last) + 1);
        let saga = theatre.begin(flow, refuse_last).await;
        theatre.ended(saga).await;
        let all = theatre.asked(saga).await;
        for n in steps.len()..all.len() {
            let (undo, from) = (&all[n], nth(&all, n));
            // Twice, then it works.
            let saga = theatre
                .begin(flow, |id| {
                    refuse_last(id);
                    unruly::refuse(id, &undo.type_name, from, from + 2);
                })
                .await;
            let row = theatre.ended(saga).await;
            assert_eq!(outcome_of(&row), "failed", "{} is refused twice: {row:?}", undo.step);
            theatre.is_clean(&row).await;
            // For good.
            let saga = theatre
                .begin(flow, |id| {
                    refuse_last(id);
                    unruly::refuse(id, &undo.type_name, from, usize::MAX);
                })
                .await;
            let row = theatre.ended(saga).await;
            assert_eq!(outcome_of(&row), "stuck", "{} is refused: {row:?}", undo.step);
            let stuck = row.steps.iter().find(|step| step.status == "stuck").expect("it says where");
            assert!(stuck.error.as_deref().unwrap().contains("a test says no"), "{row:?}");
            unruly::refuse_no_more(saga, &undo.type_name);
            theatre.retry(saga).await;
            let row = theatre.ended(saga).await;
            assert_eq!(outcome_of(&row), "failed", "{} is retried: {row:?}", undo.step);
            assert_eq!(row.word.as_ref().map(|word| &*word.why), Some("it works again"));
            theatre.is_clean(&row).await;
        }
    }
}

async fn every_step_every_compensation_and_every_answer_may_come_twice() {
    let theatre = Theatre::open().await;
    for flow in meal_planner::domain::sagas::FLOWS {
        let steps = rehearsed(&theatre, flow).await;
        for failing in [None, Some(steps.len() - 1)] {
            let saga = theatre
                .begin(flow, |id| {
                    if let Some(n) = failing {
                        unruly::refuse(id, &steps[n].type_name, nth(&steps, n), nth(&steps, n) + 1);
                    }
                })
                .await;
            let before = theatre.ended(saga).await;
            let events = theatre.events_of(saga).await;
            theatre.repeat_everything(saga).await;
            assert_eq!(theatre.ended(saga).await.steps, before.steps);
            assert_eq!(theatre.events_of(saga).await, events);
            if failing.is_some() {
                theatre.is_clean(&before).await;
            }
        }
    }
}

async fn whichever_step_is_late_it_is_undone_when_it_is_done_after_all() {
    let theatre = Theatre::open().await;
    for flow in meal_planner::domain::sagas::FLOWS {
        let steps = rehearsed(&theatre, flow).await;
        for (n, step) in steps.iter().enumerate() {
            // Nothing is remembered of what was read before.
            let theatre = Theatre::open().await;
            let mut gate = theatre.world.store.hold_reads(&unruly::stall_key(&step.type_name));
            let saga = theatre.begin(flow, |_| {}).await;
            gate.reached().await;
            theatre.hasten(saga, "step").await;
            theatre.until_step(saga, n, "unanswered").await;
            gate.open();
            let compensated = |status: &str| ["compensated", "failed"].contains(&status);
            theatre.until_row(saga, |row| compensated(&row.steps[n].status)).await;
            let row = theatre.ended(saga).await;
            assert_eq!(outcome_of(&row), "failed", "{} is late: {row:?}", step.step);
            assert_eq!(row.steps[n].status, "compensated", "{row:?}");
            theatre.is_clean(&row).await;
        }
    }
}

async fn the_power_goes_out_between_any_two_steps_forwards_and_backwards() {
    let theatre = Theatre::open().await;
    for flow in meal_planner::domain::sagas::FLOWS {
        let steps = rehearsed(&theatre, flow).await;
        let last = steps.len() - 1;
        for (fails, expected) in [(false, "completed"), (true, "failed")] {
            // The start, then an answer for each step, and one for each compensation on the way back.
            for moment in 0.. {
                let theatre = Theatre::open().await;
                let mut gate = theatre.hold_saga_unit(moment);
                let saga = theatre
                    .begin_unwatched(flow, |id| {
                        if fails {
                            let from = nth(&steps, last);
                            unruly::refuse(id, &steps[last].type_name, from, from + 1);
                        }
                    })
                    .await;
                if !theatre.reaches(&mut gate, saga).await {
                    assert!(moment > last, "{moment}");
                    break;
                }
                let theatre = theatre.crash_and_open().await;
                let row = theatre.ended(saga).await;
                assert_eq!(outcome_of(&row), expected, "moment {moment}: {row:?}");
                if fails {
                    theatre.is_clean(&row).await;
                }
            }
        }
    }
}
