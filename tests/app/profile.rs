//! What people choose for their own pages.

use serde_json::{Value, json};

use crate::support::{app::each_db, client::Client};

async fn language(client: &mut Client, path: &str) -> Value {
    let answer = client.post_json(path, &json!({})).await.json::<Value>();
    answer.get("profile").unwrap_or(&answer)["language"].clone()
}

each_db! {
    async fn a_language_is_chosen_from_the_list_and_only_for_oneself(app: TestApp) {
        let app = app.open_to_all().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        assert_eq!(language(&mut ada, "/api/load_settings").await, "en-GB");
        assert_eq!(ada.post_form("/api/change_language", &[("language", "en-US")]).await.status, 200);
        for bad in ["", "en", "EN-us", "xx-XX"] {
            let refused = ada.post_form("/api/change_language", &[("language", bad)]).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("language")), "{bad}");
        }
        for path in ["/api/load_settings", "/api/load_frame"] {
            assert_eq!(language(&mut ada, path).await, "en-US");
            assert_eq!(language(&mut bob, path).await, "en-GB");
        }
        let acts = app.column("select action from audit where action = 'change_language'").await;
        assert_eq!(acts.len(), 1, "only what was done is written down");
    }
}
