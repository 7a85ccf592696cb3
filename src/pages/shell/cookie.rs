use leptos_router::location::Url;

/// Reads a cookie, on the server and in the browser. Call it before the first `await`.
pub fn read_cookie(name: &str) -> Option<String> {
    #[cfg(feature = "ssr")]
    let line = {
        let parts = leptos::prelude::use_context::<axum::http::request::Parts>()?;
        let lines = parts.headers.get_all(axum::http::header::COOKIE).iter();
        lines.filter_map(|line| line.to_str().ok()).collect::<Vec<_>>().join("; ")
    };
    #[cfg(not(feature = "ssr"))]
    let line = crate::components::browser::cookies();
    find_cookie(&line, name)
}

fn find_cookie(line: &str, name: &str) -> Option<String> {
    let value = line.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))?;
    Some(Url::unescape(value))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::find_cookie;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let line = "xmodel=no; model=local%2FSmol%20LM; models=no";
        assert_eq!(find_cookie(line, "model").as_deref(), Some("local/Smol LM"));
        assert_eq!(find_cookie(line, "mode"), None);
        assert_eq!(find_cookie("", "model"), None);
    }
}
