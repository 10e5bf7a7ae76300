//! What the runtime has to tell, in words for people.

use super::{Alert, LONGEST_BODY, Notifications};
use crate::domain::context::{Context, Outgoing};
use crate::domain::envelope::Envelope;
use crate::domain::message::{DecodeError, Message};
use crate::domain::operations::{self, ActorQuarantined, DeadLetterAdded, TimerUnreadable};

pub(super) fn reaction(envelope: &Envelope) -> Result<Vec<Outgoing>, DecodeError> {
    let event = operations::Event::decode(&envelope.type_name, envelope.schema_version, &envelope.body)?;
    let (key, alert) = match event {
        operations::Event::DeadLetterAdded(dead) => dead_letter(dead),
        operations::Event::ActorQuarantined(quarantined) => quarantine(envelope.key.as_str(), &quarantined),
        operations::Event::BackupFailed(failed) => backup("A backup failed", &failed.error),
        operations::Event::DrillFailed(failed) => {
            backup("The newest backup is not to be relied on", &failed.errors.join("; "))
        }
        operations::Event::TimerUnreadable(timer) => unreadable(envelope.key.as_str(), &timer),
        operations::Event::ActorDied(_)
        | operations::Event::PersonErased(_)
        | operations::Event::BackupMade(_)
        | operations::Event::DrillPassed(_)
        | operations::Event::ActorRestarted(_)
        | operations::Event::ActorRestartRequested(_)
        | operations::Event::ActorPaused(_)
        | operations::Event::ActorResumed(_)
        | operations::Event::DeadLetterEdited(_)
        | operations::Event::DeadLetterReplayed(_)
        | operations::Event::DeadLetterDiscarded(_)
        | operations::Event::EffectDecided(_)
        | operations::Event::ProjectionRebuildRequested(_) => return Ok(Vec::new()),
    };
    let body = alert.body.chars().take(LONGEST_BODY).collect();
    Ok(vec![Outgoing::new::<Notifications>(key, &Alert { body, ..alert }.into())?])
}

fn dead_letter(dead: DeadLetterAdded) -> (String, Alert) {
    let DeadLetterAdded { position, reader, context, key, type_name, error } = dead;
    let who = reader.as_deref().unwrap_or(&context);
    let alert = Alert {
        title: format!("{who} could not handle a message"),
        body: format!("{type_name} for {context}/{key} (position {position}): {error}"),
        about: Some(format!("/admin/dead-letters/{position}")),
        // Telling over a channel that a channel is dead would make the next dead letter.
        stays_in_app: context == Notifications::NAME,
    };
    (format!("alert:dead-letter:{who}"), alert)
}

fn unreadable(name: &str, timer: &TimerUnreadable) -> (String, Alert) {
    let alert = Alert {
        title: "A timer does not read".to_owned(),
        body: format!("What {name} was to do at {} is not done: {}", timer.due, timer.error),
        about: Some("/admin/timers".to_owned()),
        stays_in_app: false,
    };
    ("alert:timers".to_owned(), alert)
}

fn backup(title: &str, error: &str) -> (String, Alert) {
    let alert = Alert {
        title: title.to_owned(),
        body: error.to_owned(),
        about: Some("/admin/backups".to_owned()),
        stays_in_app: false,
    };
    ("alert:backups".to_owned(), alert)
}

fn quarantine(path: &str, quarantined: &ActorQuarantined) -> (String, Alert) {
    let alert = Alert {
        title: format!("{path} has stopped"),
        body: format!(
            "It failed too often and is quarantined: it accepts, and does not handle. {}",
            quarantined.cause
        ),
        about: Some(format!("/admin/actors/{path}")),
        stays_in_app: false,
    };
    (format!("alert:quarantine:{path}"), alert)
}
