//! What all pages share.

use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

const PLACES: [(&str, &str); 4] =
    [("/", "Week"), ("/shopping", "Shopping"), ("/recipes", "Recipes"), ("/actors", "Server")];

/// A whole page; nothing on it comes from another server.
pub(super) fn page(title: &str, here: &str, body: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · meal-planner" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/assets/page.css";
                script src="/assets/page.js" defer {}
            }
            body {
                header {
                    strong { "meal-planner" }
                    nav {
                        @for (path, name) in PLACES {
                            a href=(path) aria-current=[(path == here).then_some("page")] { (name) }
                        }
                    }
                }
                main { h1 { (title) } (body) }
            }
        }
    };
    let mut response = Html(markup.into_string()).into_response();
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                  frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
