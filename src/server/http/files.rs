//! The files of the site: scripts, styles, fonts, icons.

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

/// cargo-leptos puts this many letters of a hash into a file's name.
const HASH_LETTERS: usize = 22;

/// The files of the site. What is neither a file nor anything else goes to `not_found`, where a browser asks
/// for a page.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(options: &LeptosOptions, not_found: Router) -> Router<S> {
    let files = Files::new(&*options.site_root);
    let pkg = format!("/{}/{{*path}}", options.site_pkg_dir.trim_matches('/'));
    let of_build = {
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
    Router::new().route(&pkg, get(of_build)).fallback(fallback)
}

/// Serves the files below one folder.
#[derive(Debug, Clone)]
struct Files(ServeDir);

impl Files {
    /// The files below `root`. Where a file lies there as `.br` or `.gz` too, that is sent to those who read it.
    fn new(root: impl AsRef<Path>) -> Self {
        Self(ServeDir::new(root).append_index_html_on_directories(false).precompressed_br().precompressed_gzip())
    }

    /// The file that a request is for, where there is one. `pkg` says whether it is one of the build's own.
    async fn find(&self, request: Request, pkg: bool) -> Option<Response> {
        let path = request.uri().path();
        if !matches!(*request.method(), Method::GET | Method::HEAD) || !is_file(path) {
            return None;
        }
        let keep = kept(path, pkg);
        let response = self.0.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        if matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
            return None;
        }
        let mut response = response.map(Body::new);
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from(ACCEPT_ENCODING));
        if keep == KEPT_FOR_EVER {
            // What never changes is never asked whether it has, and is too small to be asked for in parts.
            headers.remove(LAST_MODIFIED);
            headers.remove(ACCEPT_RANGES);
        }
        if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
            response.headers_mut().insert(CACHE_CONTROL, keep);
        }
        if response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "text/javascript") {
            let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, kind);
        }
        Some(response)
    }
}

/// Whether a path can be that of a file of ours: plain letters, no hidden parts, a suffix at the end.
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

/// What is said of a file whose name changes with its content.
pub(super) const KEPT_FOR_EVER: &str = "public, max-age=31536000, immutable";

/// How long a file may be kept: for ever where its name changes with its content.
fn kept(path: &str, pkg: bool) -> HeaderValue {
    let hashed = path.rsplit('/').next().unwrap_or_default().split('.').any(|part| {
        part.len() == HASH_LETTERS && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    });
    HeaderValue::from_static(match (pkg, hashed) {
        (true, true) => KEPT_FOR_EVER,
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
    fn only_hashed_names_are_kept_for_ever() {
        assert_eq!(kept("/pkg/colloquy.nxnXw8Pp0l_3Zkq-1aGZ7Q.wasm", true), "public, max-age=31536000, immutable");
        assert_eq!(kept("/pkg/colloquy.wasm", true), "no-cache");
        assert_eq!(kept("/favicon.svg", false), "public, max-age=3600");
    }
}
