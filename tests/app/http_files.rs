//! The static files of the site.

use std::fs;

use axum::{Router, body::Body};

use crate::http_support::{Answer, full_server, get, request, send};

const HASHED: &str = "/pkg/colloquy.nxnXw8Pp0l_3Zkq-1aGZ7Q.js";

struct Site {
    _folders: [tempfile::TempDir; 2],
    server: Router,
}

async fn site() -> Site {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join("site").join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("our folder");
        fs::write(path, text).expect("our file");
    };
    let script = "0123456789".repeat(500);
    write(&HASHED[1..], &script);
    write(&format!("{}.br", &HASHED[1..]), "as brotli");
    write(&format!("{}.gz", &HASHED[1..]), "as gzip");
    write("pkg/colloquy.css", "a{}");
    write("favicon.svg", "<svg/>");
    write(".env", "secret");
    write(".git/config.txt", "secret");
    fs::write(folder.path().join("outside.txt"), "secret").expect("our file");
    let (server, data) = full_server(folder.path().join("site").to_str().expect("a path of letters"), true).await;
    Site { _folders: [folder, data], server }
}

async fn send_to(site: &Site, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let asked = headers.iter().fold(request(method, path), |asked, (name, value)| asked.header(*name, *value));
    send(&site.server, asked.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn hashed_files_are_immutable_and_sent_precompressed() {
    let site = site().await;
    for (accepts, encoding, length) in [("gzip, br", "br", 9), ("gzip", "gzip", 7), ("", "", 5_000)] {
        let answer = send_to(&site, "GET", HASHED, &[("accept-encoding", accepts)]).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-encoding")), (200, encoding));
        assert_eq!(answer.body.len(), length, "{accepts}");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(answer.header("vary"), "accept-encoding");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let answer = send_to(&site, "HEAD", HASHED, &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-length"), answer.body.len()), (200, "5000", 0));
    assert_eq!(get(&site.server, "/pkg/colloquy.css").await.header("cache-control"), "no-cache");
    assert_eq!(get(&site.server, "/favicon.svg").await.header("cache-control"), "public, max-age=3600");
}

#[tokio::test]
async fn only_files_of_the_site_are_served_and_no_folder_is_listed() {
    let site = site().await;
    for path in [
        "/.env",
        "/.git/config.txt",
        "/pkg",
        "/pkg/",
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/pkg/../.env",
        "/pkg/%2e%2e/%2e%2e/outside.txt",
        "/pkg/..%2f..%2foutside.txt",
        "//favicon.svg",
        "/pkg//colloquy.css",
        "/favicon.svg/",
        "/favicon%2esvg",
        "/pkg/colloquy.css.map",
    ] {
        let answer = get(&site.server, path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains("secret"), "{path}");
    }
    let answer = send_to(&site, "POST", "/favicon.svg", &[]).await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_again() {
    let site = site().await;
    let modified = get(&site.server, "/favicon.svg").await.header("last-modified").to_owned();
    let again = send_to(&site, "GET", "/favicon.svg", &[("if-modified-since", &modified)]).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    assert_eq!(again.header("cache-control"), "public, max-age=3600");
}

#[tokio::test]
async fn row_75_malformed_ranges_do_not_amplify() {
    let site = site().await;
    let many = format!("bytes={}", vec!["0-4999"; 1_000].join(","));
    for (range, status) in [
        ("bytes=0-9", 206),
        ("bytes=-10", 206),
        ("bytes=4990-", 206),
        ("bytes=9-0", 416),
        ("bytes=5000-", 416),
        ("bytes=99999999999999999999-", 416),
        ("bytes=0-1,3-4", 416),
        (&many, 416),
        ("lines=1-2", 416),
        ("bytes=", 416),
    ] {
        let answer = send_to(&site, "GET", HASHED, &[("range", range)]).await;
        let shown = &range[..range.len().min(40)];
        assert_eq!(answer.status, status, "{shown}");
        assert!(answer.body.len() <= 200, "{shown}: {} bytes", answer.body.len());
    }
    let whole = send_to(&site, "GET", HASHED, &[("if-none-match", "*")]).await;
    assert!(matches!(whole.status.as_u16(), 200 | 304), "{}", whole.status);
    let page = send_to(&site, "GET", "/", &[("range", "bytes=0-1,3-4"), ("accept", "text/html")]).await;
    assert_eq!(page.status, 200);
}
