//! `import`: reads recipes here and hands them to the server, several at a time.

use super::failure::{Exit, Failure};
use super::output::{count, note, say};
use super::recipes::PATH;
use super::sources::{self, Broken, Source};
use super::wire::{Answer, Coverage, RecipeDetail};
use crate::clients::own_api::{ApiError, Ask, OwnApi, decode};
use crate::domain::recipes::jsonld::{self, RecipeDraft};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

const IN_FLIGHT: usize = 8;
const WAIT_S: u64 = 30;
/// How often a busy server is asked again, each time after twice as long.
const RETRIES: u32 = 5;

/// A recipe on its way.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub from: String,
    pub name: String,
    pub jsonld: String,
}

/// A recipe that arrived.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub id: String,
    /// `None` while the server is still at work on it.
    pub coverage: Option<Coverage>,
}

/// # Errors
/// When the server cannot be used, or when any recipe could not be taken over.
pub(super) async fn run(api: &OwnApi, arguments: &[String], as_json: bool) -> Result<(), Failure> {
    let sends = parcels(sources::discover(arguments)).map(|parcel| async move {
        let parcel = parcel?;
        let sent = send(api, &parcel, None).await;
        Ok((parcel, sent))
    });
    let mut sends = std::pin::pin!(sends.buffered(IN_FLIGHT));
    let mut report = Report { as_json, ..Report::default() };
    while let Some(end) = sends.next().await {
        match end {
            Ok((parcel, Ok(arrived))) => report.arrived(&parcel, &arrived)?,
            Ok((_, Err(error))) if concerns_all(&error) => return Err(error.into()),
            Ok((parcel, Err(error))) => {
                let failure = Failure::from(error);
                let hint = failure.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
                let at = format!("{}: {}", parcel.from, parcel.name);
                report.broken(&Broken { at, reason: format!("{}{hint}", failure.message) });
            }
            Err(broken) => report.broken(&broken),
        }
    }
    report.end()
}

/// No other recipe would fare better.
fn concerns_all(error: &ApiError) -> bool {
    match error {
        ApiError::Refused(problem) => matches!(problem.status, 401 | 403 | 404 | 405 | 421),
        ApiError::Unreachable { .. } | ApiError::Odd { .. } | ApiError::NoAddress(_) => true,
    }
}

fn parcels(sources: Vec<Result<Source, Broken>>) -> impl Stream<Item = Result<Parcel, Broken>> {
    let opened = stream::iter(sources).then(|source| async move {
        let read = match &source {
            Ok(source) => sources::read(source).await.and_then(|text| unpack(&source.to_string(), &text)),
            Err(broken) => Err(broken.clone()),
        };
        stream::iter(read.unwrap_or_else(|broken| vec![Err(broken)]))
    });
    opened.flatten()
}

/// The recipes in a text, each for itself.
///
/// # Errors
/// When there is no recipe in it.
pub(super) fn unpack(from: &str, text: &str) -> Result<Vec<Result<Parcel, Broken>>, Broken> {
    let broken = |reason| Broken { at: from.to_owned(), reason };
    let drafts =
        jsonld::read_any(text).map_err(|error| broken(format!("{} {}", error.message, error.hint)))?;
    let parcel = |draft: RecipeDraft| {
        if draft.ingredient_lines.is_empty() && draft.steps.is_empty() {
            let reason = format!("{:?} has no ingredients and no steps", draft.name);
            return Err(broken(draft.remarks.first().cloned().unwrap_or(reason)));
        }
        let jsonld = jsonld::write(&draft).to_string();
        Ok(Parcel { from: from.to_owned(), name: draft.name, jsonld })
    };
    Ok(drafts.into_iter().map(parcel).collect())
}

/// Hands one recipe over and waits until it is understood. With a message id, a repeat is left at that.
///
/// # Errors
/// When it was not accepted.
pub(super) async fn send(
    api: &OwnApi,
    parcel: &Parcel,
    message_id: Option<Uuid>,
) -> Result<Arrived, ApiError> {
    let content = Uuid::new_v5(&Uuid::NAMESPACE_OID, parcel.jsonld.as_bytes());
    let key = message_id.is_none().then(|| format!("import-{content}"));
    let answer = send_under(api, parcel, message_id, key).await?;
    // It came before and is gone by now: a new key brings it back.
    if message_id.is_none() && answer.status == "handled" && answer.result.is_none() {
        let key = Some(format!("import-{content}-{}", Uuid::now_v7()));
        return Ok(arrived(send_under(api, parcel, None, key).await?));
    }
    Ok(arrived(answer))
}

fn arrived(answer: Answer<RecipeDetail>) -> Arrived {
    let nutrition = answer.result.and_then(|detail| detail.nutrition);
    Arrived { id: answer.key, coverage: nutrition.map(|nutrition| nutrition.coverage) }
}

async fn send_under(
    api: &OwnApi,
    parcel: &Parcel,
    message_id: Option<Uuid>,
    idempotency_key: Option<String>,
) -> Result<Answer<RecipeDetail>, ApiError> {
    let body = parcel.jsonld.clone();
    let ask = Ask { body, media: "application/ld+json", wait_s: Some(WAIT_S), idempotency_key, message_id };
    let mut retries = 0;
    loop {
        match api.post(PATH, ask.clone()).await {
            Ok(text) => return decode(PATH, &text),
            Err(ApiError::Refused(problem)) if matches!(problem.status, 429 | 503) && retries < RETRIES => {
                tokio::time::sleep(Duration::from_secs(1 << retries)).await;
                retries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

#[derive(Default)]
struct Report {
    as_json: bool,
    items: Vec<Value>,
    counted: u32,
    total: u32,
    imported: usize,
    failed: usize,
}

impl Report {
    fn arrived(&mut self, parcel: &Parcel, arrived: &Arrived) -> Result<(), Failure> {
        self.imported += 1;
        if let Some(coverage) = arrived.coverage {
            self.counted += coverage.lines_counted;
            self.total += coverage.lines_total;
        }
        if !self.as_json {
            return say(&format!("{}: {}", parcel.name, measured(arrived.coverage)));
        }
        let coverage = arrived.coverage.map(|coverage| {
            json!({
                "lines_counted": coverage.lines_counted, "lines_total": coverage.lines_total,
                "mass_share_permille": coverage.mass_share_permille,
            })
        });
        self.items.push(json!({
            "from": parcel.from, "name": parcel.name, "id": arrived.id, "coverage": coverage,
        }));
        Ok(())
    }

    fn broken(&mut self, broken: &Broken) {
        self.failed += 1;
        match self.as_json {
            true => self.items.push(json!({ "from": broken.at, "error": broken.reason })),
            false => note(&format!("failed: {}: {}", broken.at, broken.reason)),
        }
    }

    fn end(self) -> Result<(), Failure> {
        let Self { imported, failed, counted, total, .. } = self;
        if self.as_json {
            let items = self.items;
            say(&json!({ "items": items, "imported": imported, "failed": failed }).to_string())?;
        } else {
            let lines = format!("{counted} of {total} ingredient lines understood and measured");
            let number = count(imported, "recipe");
            say(&format!("\n{number} imported, {failed} failed; {lines}."))?;
        }
        if failed == 0 {
            return Ok(());
        }
        let hint = "the others are safe; mend what is named above and import it again";
        Err(Failure::new(Exit::Failed, format!("{failed} could not be imported"), hint))
    }
}

fn measured(coverage: Option<Coverage>) -> String {
    let Some(Coverage { lines_counted, lines_total, mass_share_permille }) = coverage else {
        return "accepted, not yet read".to_owned();
    };
    let lines = format!("{lines_counted} of {lines_total} lines understood and measured");
    match mass_share_permille {
        Some(share) => format!("{lines}, {} % of the known weight", f64::from(share) / 10.0),
        None => lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_broken_line_of_a_set_does_not_lose_the_others() {
        let good = r#"{"@type":"Recipe","name":"Dal","recipeIngredient":["200 g lentils"]}"#;
        let parcels = unpack("x.ndjson", &format!("{good}\n{{broken\n")).unwrap();
        assert_eq!(parcels.len(), 2);
        assert_eq!(parcels.iter().filter(|parcel| parcel.is_ok()).count(), 1);
    }

    #[test]
    fn a_text_without_recipes_names_its_source() {
        assert_eq!(unpack("x.html", "<p>hello").unwrap_err().at, "x.html");
    }

    #[test]
    fn what_is_measured_is_said_in_lines_and_weight() {
        let coverage = Coverage { lines_counted: 9, lines_total: 10, mass_share_permille: Some(985) };
        assert_eq!(
            measured(Some(coverage)),
            "9 of 10 lines understood and measured, 98.5 % of the known weight"
        );
    }
}
