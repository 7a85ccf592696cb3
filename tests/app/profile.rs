//! Profile settings: language, time zone and picture.

use axum::{
    body::Body,
    http::{
        Method,
        header::{ACCEPT, CONTENT_TYPE},
    },
};
use serde_json::{Value, json};

use crate::support::{
    app::each_db,
    client::{Answer, Client},
};

async fn language(client: &mut Client) -> Value {
    let answer = client.post_json("/api/load_settings", &json!({})).await.json::<Value>();
    answer["profile"]["language"].clone()
}

each_db! {
    async fn a_language_is_chosen_from_the_list_for_the_own_account(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        assert_eq!(language(&mut ada).await, "en-GB");
        assert_eq!(ada.post_form("/api/change_locale", &[("language", "en-US")]).await.status, 200);
        for bad in ["", "en", "EN-us", "xx-XX"] {
            let refused = ada.post_form("/api/change_locale", &[("language", bad)]).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("language")), "{bad}");
        }
        assert_eq!(language(&mut ada).await, "en-US");
        assert_eq!(language(&mut bob).await, "en-GB");
        let acts = app.column("select action from audit where action = 'change_locale'").await;
        assert_eq!(acts.len(), 1, "only successful changes are recorded");
    }
}

/// Uploads a multipart form like a browser.
async fn upload(client: &mut Client, boundary: &str, body: Vec<u8>) -> Answer {
    let request = client
        .request(Method::POST, "/settings/picture")
        .header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
        .header(ACCEPT, "text/html");
    client.send(request.body(Body::from(body)).expect("a request")).await
}

fn form(file: &[u8]) -> Vec<u8> {
    let head = "--x\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"../../me.svg\"\r\nContent-Type: image/svg+xml\r\n\r\n";
    [head.as_bytes(), file, b"\r\n--x--\r\n"].concat()
}

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbaImage::from_pixel(500, 300, image::Rgba([200, 20, 20, 255]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a PNG");
    bytes.into_inner()
}

each_db! {
    async fn f08_a_picture_is_scaled_down_and_shown_to_signed_in_users(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let me = ada.post_form("/api/load_entrance", &[]).await.json::<Value>()["user"]["id"].as_str().expect("an id").to_owned();
        let path = format!("/people/{me}/picture");
        assert_eq!(ada.get(&path).await.status, 404);
        let kept = upload(&mut ada, "x", form(&png())).await;
        assert_eq!((kept.status.as_u16(), kept.header("location")), (303, "/settings?done=picture#picture"), "{}", kept.text());
        let seen = bob.get(&path).await;
        assert_eq!((seen.status.as_u16(), seen.header("content-type")), (200, "image/jpeg"));
        assert_eq!(seen.header("x-content-type-options"), "nosniff");
        assert!(seen.header("cache-control").starts_with("private") && seen.body.len() < 30_000);
        let read = image::load_from_memory(&seen.body).expect("a picture");
        assert_eq!((read.width(), read.height()), (256, 256));
        let again = bob.request(Method::GET, &path).header("if-none-match", seen.header("etag"));
        assert_eq!(bob.send(again.body(Body::empty()).expect("a request")).await.status, 304);
        assert_eq!(app.anonymous().get(&path).await.status, 401);
        let shown = |page: &str| page.matches(&format!("{path}?v=")).count();
        let beside_the_name = shown(&ada.get("/").await.text());
        assert!(beside_the_name > 0);
        assert_eq!(shown(&ada.get("/people").await.text()), beside_the_name + 1, "in the list of people");
        assert_eq!(bob.get("/people/none/picture").await.status, 404);

        assert_eq!(ada.post_form("/api/remove_picture", &[]).await.status, 200);
        assert_eq!(bob.get(&path).await.status, 404);
        let acts = app.column("select detail from audit where action = 'change_picture' order by at").await;
        assert_eq!(acts, ["", "removed"]);
    }
}

each_db! {
    async fn f08_invalid_uploads_are_refused(app: TestApp) {
        let mut ada = app.administrator().await;
        let whole = form(&png());
        for (boundary, body, status) in [
            ("x", form(b"<svg onload=alert(1)>"), 422),
            ("x", form(b""), 400),
            ("x", b"--x\r\nnothing".to_vec(), 400),
            ("y", whole.clone(), 400),
            ("x", whole[..whole.len() - 20].to_vec(), 400),
            ("x", vec![b'a'; 6_000_001], 413),
        ] {
            let refused = upload(&mut ada, boundary, body).await;
            assert_eq!(refused.status.as_u16(), status, "{}", refused.text());
            assert!(refused.header("content-type").starts_with("text/html"), "a page");
        }
        assert_eq!(ada.submit("/settings/picture", &[("picture", "x")]).await.status, 415);
        assert_eq!(upload(&mut app.anonymous(), "x", whole).await.status, 401);
        assert_eq!(app.column("select cast(count(*) as text) from pictures").await, ["0"]);
        assert_eq!(ada.submit("/api/change_name", &[("name", &"x".repeat(1_000_001))]).await.status, 413, "other bodies have a lower limit");
    }
}

each_db! {
    async fn a_chosen_time_zone_takes_precedence_over_the_browsers(app: TestApp) {
        let mut ada = app.administrator().await;
        let offset = async |ada: &mut Client| ada.post_form("/api/load_frame", &[]).await.json::<Value>()["utc_offset_minutes"].clone();
        ada.cookies.insert("tz".to_owned(), "-300".to_owned());
        assert_eq!(offset(&mut ada).await, -300);
        let zone = [("language", "en-GB"), ("time_zone", "Asia/Kolkata")];
        assert_eq!(ada.post_form("/api/change_locale", &zone).await.status, 200);
        assert_eq!(offset(&mut ada).await, 330);
        for bad in ["Asia/Nowhere", "UTC+5", "../../etc/localtime", "posix/Asia/Kolkata"] {
            let refused = ada.post_form("/api/change_locale", &[("language", "en-GB"), ("time_zone", bad)]).await;
            assert_eq!((refused.status.as_u16(), refused.error().field()), (422, Some("time_zone")), "{bad}");
        }
        assert_eq!(ada.post_form("/api/change_locale", &[("language", "en-GB")]).await.status, 200);
        assert_eq!(offset(&mut ada).await, -300);
    }
}
