//! The privacy and terms pages: the built-in text, the operator's files, and invalid files.

use std::fs;

use colloquy::server::legal::MAX_LEGAL_BYTES;

use crate::support::{
    app::{TestApp, each_db},
    client::Answer,
};

async fn load_legal(app: &TestApp, page: &str) -> Answer {
    app.anonymous().post_form("/api/load_legal", &[("page", page)]).await
}

fn write(app: &TestApp, name: &str, bytes: &[u8]) {
    let folder = app.config.data.join("pages");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), bytes).expect("a file");
}

each_db! {
    async fn legal_pages_are_public_and_name_the_operator(app: TestApp) {
        let app = TestApp::start_with(app.backend(), |config| {
            config.operator_name = Some("Ada <script>alert(1)</script>".to_owned());
            config.operator_contact = Some("ada@example.org".to_owned());
        })
        .await;
        app.administrator().await;
        for (path, words) in [("/privacy", "no banner"), ("/terms", "Models make mistakes")] {
            let page = app.anonymous().get(path).await;
            assert_eq!(page.status, 200, "{path}");
            let text = page.text();
            assert!(text.contains(words) && text.contains("ada@example.org"), "{path}: {text}");
            assert!(!text.contains("<script>alert(1)"), "{path}: the name is inert");
        }
        let entrance = app.anonymous().get("/sign-in").await.text();
        assert!(entrance.contains("href=\"/privacy\"") && entrance.contains("href=\"/terms\""), "{entrance}");
        let settings = app.signed_in("ada@example.org").await.get("/settings").await.text();
        assert!(settings.contains("href=\"/privacy\"") && settings.contains("href=\"/terms\""), "{settings}");
    }
}

each_db! {
    async fn legal_files_are_reloaded_and_their_scripts_are_removed(app: TestApp) {
        write(&app, "terms.md", b"# Ours\n\nBe *kind*.\n\n<script>alert(1)</script>\n\n[x](javascript:alert(2))\n");
        let text = load_legal(&app, "terms").await.json::<String>();
        assert!(text.contains("<em>kind</em>"), "{text}");
        assert!(!text.contains("<script") && !text.contains("href=\"javascript"), "{text}");
        assert!(!text.contains("Models make mistakes"), "the built-in text is gone: {text}");
        write(&app, "terms.md", b"Changed.");
        assert!(load_legal(&app, "terms").await.json::<String>().contains("Changed."));
        assert!(load_legal(&app, "privacy").await.json::<String>().contains("no banner"), "the other page stays");
    }
}

each_db! {
    async fn invalid_legal_files_are_reported(app: TestApp) {
        let most = usize::try_from(MAX_LEGAL_BYTES).expect("a length");
        write(&app, "terms.md", &vec![b'a'; most]);
        assert_eq!(load_legal(&app, "terms").await.status, 200);
        write(&app, "terms.md", &vec![b'a'; most + 1]);
        assert_eq!(load_legal(&app, "terms").await.status, 503);
        write(&app, "terms.md", b"\xe9\xff");
        assert_eq!(load_legal(&app, "terms").await.status, 503);
        let page = app.anonymous().get("/terms").await;
        assert_eq!(page.status, 503);
        assert!(!page.text().contains("Models make mistakes"), "no other text stands in for the operator's");
        fs::create_dir_all(app.config.data.join("pages/privacy.md")).expect("a folder");
        assert_eq!(load_legal(&app, "privacy").await.status, 503);
        for page in ["", "../secret", "Privacy"] {
            assert!(load_legal(&app, page).await.status.is_client_error(), "{page:?}");
        }
    }
}
