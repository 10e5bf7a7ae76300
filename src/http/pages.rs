//! The page a person opens.

use super::App;
use axum::Router;

/// Adds the pages to the surface.
pub(super) fn add(router: Router<App>) -> Router<App> {
    router
}
