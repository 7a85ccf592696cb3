//! The settings pages, and the appearance of all pages, which the browser stores.

use std::{collections::BTreeSet, fs, path::Path};

use axum::{
    body::Body,
    http::{
        Method,
        header::{ACCEPT, CONTENT_TYPE, REFERER, SET_COOKIE},
    },
};
use colloquy::domain::{Activity, AuditAction, Outcome, Timestamp};

use crate::support::{app::each_db, client::HOST_NAME};

each_db! {
    async fn the_appearance_is_stored_in_the_browser_and_is_in_the_document(app: TestApp) {
        let mut ada = app.administrator().await;
        for path in ["/", "/settings/appearance"] {
            let page = ada.get(path).await.text();
            assert!(!page.contains("data-theme=") && page.contains("media=\"(prefers-color-scheme: dark)\""), "{page}");
        }
        let chosen = ada.submit("/api/change_appearance", &[("theme", "dark")]).await;
        assert_eq!((chosen.status.as_u16(), chosen.header("location")), (302, "/sessions"), "back to the page");
        let line = "appearance=dark; SameSite=Lax; Path=/; Max-Age=31536000";
        assert!(chosen.headers.get_all(SET_COOKIE).iter().any(|set| set == line), "{:?}", chosen.headers);
        for (field, value) in [("text", "larger"), ("enter", "newline"), ("theme", "blue"), ("text", "\"><script>")] {
            assert_eq!(ada.submit("/api/change_appearance", &[(field, value)]).await.status, 302, "{value}");
        }
        for path in ["/", "/settings/appearance", "/nowhere"] {
            let page = ada.get(path).await.text();
            assert!(page.contains("data-theme=\"dark\" data-text=\"larger\" data-enter=\"newline\""), "{path}: {page}");
            assert!(page.contains("media=\"all\"") && page.contains("media=\"not all\""), "{path}: {page}");
        }
        assert!(!app.signed_in("ada@example.org").await.get("/").await.text().contains("data-theme="), "only this browser");
        let mut visitor = app.anonymous();
        // Each page twice: rendered, and reused.
        for (cookie, theme) in [("dark", true), ("", false), ("dark%22%3E", false), ("blue.dark", true), ("dark", true), ("", false)] {
            visitor.cookies.insert("appearance".to_owned(), cookie.to_owned());
            let page = visitor.get("/sign-in").await.text();
            assert!(page.contains("data-theme=\"dark\"") == theme && !page.contains("blue"), "{cookie}: {page:.300}");
        }
        // A page of this site with such an address exists: the one that says that there is none.
        let request = ada.request(Method::POST, "/api/change_appearance").header(ACCEPT, "text/html");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.header(REFERER, format!("http://{HOST_NAME}//evil.example/"));
        let away = ada.send(request.body(Body::from("theme=dark")).expect("a request")).await;
        assert_eq!((away.status.as_u16(), away.header("location")), (302, "/"), "no open redirect");
        ada.submit("/api/change_appearance", &[("theme", "system")]).await;
        assert_eq!(ada.cookies["appearance"], "larger.newline", "the rest stays");
        assert!(!ada.get("/").await.text().contains("data-theme="));
    }
}

each_db! {
    async fn each_settings_page_shows_its_own_sections(app: TestApp) {
        let mut ada = app.administrator().await;
        let pages = [
            ("/settings", &["picture", "profile", "address", "locale"][..]),
            ("/settings/appearance", &["theme", "text-size", "enter"]),
            ("/settings/security", &["password-section", "two-step", "passkeys", "devices", "activity"]),
            ("/settings/data", &["retention", "data", "delete"]),
        ];
        for (path, sections) in pages {
            let page = ada.get(path).await.text();
            for (_, of_page) in pages {
                for id in of_page {
                    let shown = page.contains(&format!("id=\"{id}\""));
                    assert_eq!(shown, sections.contains(id), "{id} in {path}");
                }
            }
            assert!(page.contains(&format!("href=\"{path}\" aria-current=\"page\"")), "{path}: {page}");
        }
    }
}

/// The links to sections of the settings in the files of a folder: the page and the id of the section.
fn links(folder: &Path, found: &mut BTreeSet<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            links(&entry.path(), found);
            continue;
        }
        let source = fs::read_to_string(entry.path()).unwrap_or_default();
        for rest in source.split("/settings").skip(1) {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"/?=#-_".contains(c)).unwrap_or(rest.len());
            if let Some((page, id)) = rest[..end].split_once('#') {
                let path = page.split('?').next().unwrap_or_default();
                found.insert((format!("/settings{path}"), id.to_owned()));
            }
        }
    }
}

each_db! {
    async fn every_link_to_a_section_leads_to_it(app: TestApp) {
        let mut found = BTreeSet::new();
        for folder in ["src", "locales"] {
            links(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
        }
        assert!(found.len() >= 9, "{found:?}");
        let mut ada = app.administrator().await;
        // Shown only where there are identity providers.
        for (path, id) in found.into_iter().filter(|(_, id)| id != "providers") {
            let page = ada.get(&path).await.text();
            assert!(page.contains(&format!("id=\"{id}\"")), "{path}#{id}");
        }
    }
}

#[test]
fn activity_is_told_in_sentences() {
    use AuditAction::{AddFactor, ChangeLocale, ChangeRetention, DeleteChats, Overstep, SecondFactor, SignIn};
    use Outcome::{Done, Refused};

    let sentence = |action, outcome, detail: &str| {
        let (device, network) = (String::new(), String::new());
        let at = Timestamp::from_micros(0);
        Activity { at, action, outcome, device, network, detail: detail.to_owned(), by_another: false }.sentence()
    };
    let expected = [
        (ChangeRetention, Done, "off", "Turned off automatic deletion"),
        (ChangeRetention, Done, "30 days", "Set automatic deletion to 30 days"),
        (ChangeLocale, Done, "de, automatic", "Chose German"),
        (ChangeLocale, Done, "tlh, automatic", "Changed the language or the time zone"),
        (SecondFactor, Refused, "", "Wrong authenticator code"),
        (SignIn, Done, "", "Signed in"),
        (SignIn, Done, "The house", "Signed in with The house"),
        (SignIn, Refused, "link", "Failed sign-in"),
        (AddFactor, Done, "My laptop", "Added “My laptop” for signing in"),
        (DeleteChats, Done, "1", "Deleted 1 chat"),
        (Overstep, Refused, "/people", "Tried to access an administrator page"),
    ];
    for (action, outcome, detail, words) in expected {
        assert_eq!(sentence(action, outcome, detail), words);
    }
}
