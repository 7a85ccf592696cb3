//! The static files of the site: scripts, styles, fonts, icons.

use std::path::Path;

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{
        HeaderValue, Method, StatusCode,
        header::{ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_TYPE, LAST_MODIFIED, VARY},
    },
    response::Response,
    routing::get,
};
use leptos::config::LeptosOptions;
use tower::ServiceExt;
use tower_http::services::ServeDir;

use super::{access_log::accepts_html, refusal::refuse};
use crate::domain::AppError;

/// The length of the hash that cargo-leptos adds to file names.
const HASH_LENGTH: usize = 22;

/// Serves the static files. A request that matches neither a file nor a route is passed to `not_found` if the client
/// accepts HTML.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(options: &LeptosOptions, not_found: Router) -> Router<S> {
    let files = Files::new(&*options.site_root);
    let pkg = format!("/{}/{{*path}}", options.site_pkg_dir.trim_matches('/'));
    let build_file = {
        let files = files.clone();
        async move |request: Request| files.find(request, true).await.unwrap_or_else(|| refuse(AppError::NotFound))
    };
    let fallback = async move |request: Request| {
        let (parts, body) = request.into_parts();
        if let Some(file) = files.find(Request::from_parts(parts.clone(), Body::empty()), false).await {
            return file;
        }
        if !accepts_html(&parts.headers) {
            return refuse(AppError::NotFound);
        }
        not_found.clone().oneshot(Request::from_parts(parts, body)).await.unwrap_or_else(|never| match never {})
    };
    Router::new().route(&pkg, get(build_file)).fallback(fallback)
}

/// Serves the files below one directory.
#[derive(Debug, Clone)]
struct Files(ServeDir);

impl Files {
    /// Serves the files below `root`. A precompressed `.br` or `.gz` variant is sent to clients that accept it.
    fn new(root: impl AsRef<Path>) -> Self {
        Self(ServeDir::new(root).append_index_html_on_directories(false).precompressed_br().precompressed_gzip())
    }

    /// Returns the file for this request, if it exists. `pkg` tells whether it belongs to the build output.
    async fn find(&self, request: Request, pkg: bool) -> Option<Response> {
        let path = request.uri().path();
        if !matches!(*request.method(), Method::GET | Method::HEAD) || !is_file(path) {
            return None;
        }
        let caching = cache_control(path, pkg);
        let response = self.0.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        if matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
            return None;
        }
        let mut response = response.map(Body::new);
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from(ACCEPT_ENCODING));
        if caching == CACHE_IMMUTABLE {
            // An immutable file needs no revalidation, and is too small for range requests.
            headers.remove(LAST_MODIFIED);
            headers.remove(ACCEPT_RANGES);
        }
        if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
            response.headers_mut().insert(CACHE_CONTROL, caching);
        }
        if response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "text/javascript") {
            let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, kind);
        }
        Some(response)
    }
}

/// Whether a path can name one of our files: plain ASCII, no hidden segments, a file extension at the end.
fn is_file(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut parts = path.split('/').skip(1).peekable();
    let mut suffix = false;
    while let Some(part) = parts.next() {
        if part.is_empty() || part.starts_with('.') || !part.chars().all(plain) {
            return false;
        }
        suffix = parts.peek().is_none() && part.contains('.');
    }
    suffix
}

/// `Cache-Control` for files whose name changes with their content.
pub(super) const CACHE_IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The `Cache-Control` of a file: immutable if its name contains a content hash.
fn cache_control(path: &str, pkg: bool) -> HeaderValue {
    let hashed = path.rsplit('/').next().unwrap_or_default().split('.').any(|part| {
        part.len() == HASH_LENGTH && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    });
    HeaderValue::from_static(match (pkg, hashed) {
        (true, true) => CACHE_IMMUTABLE,
        (true, false) => "no-cache",
        (false, _) => "public, max-age=3600",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_files_folders_and_odd_names_are_not_files() {
        for path in ["/favicon.svg", "/fonts/inter-var.woff2", "/pkg/colloquy.js", "/pkg/snippets/a_b-1/inline0.js"] {
            assert!(is_file(path), "{path}");
        }
        for path in [
            "/",
            "/chats",
            "/.env",
            "/pkg/",
            "/pkg/.hidden.js",
            "/a/../b.js",
            "/a/./b.js",
            "//a.js",
            "/a//b.js",
            "/%2e%2e/b.js",
            "/a%2fb.js",
            "/a.js/",
            "/a\\b.js",
            "/é.js",
            "/.git/config.js",
            "a.js",
        ] {
            assert!(!is_file(path), "{path}");
        }
    }

    #[test]
    fn only_hashed_names_are_immutable() {
        assert_eq!(
            cache_control("/pkg/colloquy.nxnXw8Pp0l_3Zkq-1aGZ7Q.wasm", true),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(cache_control("/pkg/colloquy.wasm", true), "no-cache");
        assert_eq!(cache_control("/favicon.svg", false), "public, max-age=3600");
    }
}
