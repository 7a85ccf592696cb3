use leptos_router::location::Url;

/// Reads a cookie, on the server and in the browser. Call it before the first `await`.
pub fn read_cookie(name: &str) -> Option<String> {
    #[cfg(feature = "ssr")]
    {
        let parts = leptos::prelude::use_context::<axum::http::request::Parts>()?;
        crate::server::cookies::find(&parts.headers, name).map(Url::unescape)
    }
    #[cfg(not(feature = "ssr"))]
    {
        find_cookie(&crate::components::browser::cookies(), name)
    }
}

/// Not the parser of the server: it would bring the library and its dates into the browser's bundle.
#[cfg(any(not(feature = "ssr"), test))]
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
