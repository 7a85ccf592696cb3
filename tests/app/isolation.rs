//! The access table: what anonymous users, other users and the owner get. Every server function and route needs a row.

mod chats;

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{
        Method,
        header::{ACCEPT, CONTENT_TYPE},
    },
};
use colloquy::{
    domain::{AppError, ClientId, FactorId, MessageId, RunId, StartedRun},
    server::{
        access::{Access, Endpoint},
        config::SecondFactorRequirement,
        store::NewIdentity,
    },
};
use serde_json::{Value, json};

use crate::support::{
    app::{Backend, TestApp, each_db},
    client::{Answer, Client, encode},
};

/// The issuer of the owner's linked identity.
const ISSUER: &str = "https://login.example";

/// The request body of an endpoint, with the owner's ids in it.
pub enum RequestBody {
    Form(fn(&Ids) -> Vec<(&'static str, String)>),
    Json(fn(&Ids) -> Value),
}
use RequestBody::{Form, Json};

/// The ids of the owner's resources.
pub struct Ids {
    pub sent: StartedRun,
    factor: FactorId,
}

/// A row: an endpoint, its request body, and the statuses for an anonymous user, another user and the owner. The other
/// user is an administrator, because administrators have no access to the chats of others either.
pub struct Row {
    pub path: &'static str,
    body: RequestBody,
    anonymous: u16,
    other: u16,
    owner: u16,
}

fn chat(ids: &Ids) -> String {
    ids.sent.chat.to_string()
}

fn answer_form(ids: &Ids) -> Vec<(&'static str, String)> {
    vec![("chat", chat(ids)), ("message", ids.sent.answer.to_string())]
}

/// The access table. Endpoints that touch no one's rows have the same status for everyone.
pub fn rows() -> Vec<Row> {
    let row = |path, body, anonymous, other, owner| Row { path, body, anonymous, other, owner };
    vec![
        row("/api/load_entrance", Form(|_| vec![]), 200, 200, 200),
        row("/api/rate_password", Json(|_| json!({"email": "", "name": "", "password": "x"})), 200, 200, 200),
        row(
            "/api/sign_up",
            Form(|_| vec![("email", "x@example.org".into()), ("name", "X".into()), ("password", "weak".into())]),
            422,
            422,
            422,
        ),
        row(
            "/api/sign_in",
            Form(|_| vec![("email", "x@example.org".into()), ("password", "wrong-wrong".into())]),
            422,
            422,
            422,
        ),
        row("/api/find_sign_in_step", Form(|_| vec![]), 200, 200, 200),
        row("/api/finish_sign_in", Form(|_| vec![("code", "123456".into())]), 401, 401, 401),
        row("/api/begin_passkey_check", Form(|_| vec![]), 401, 401, 401),
        row("/api/finish_passkey_check", Json(|_| json!({"credential": "{}", "next": null})), 401, 401, 401),
        row("/api/begin_passkey_sign_in", Form(|_| vec![]), 200, 200, 200),
        row(
            "/api/finish_passkey_sign_in",
            Json(|_| json!({"credential": "{}", "remember": false, "next": null})),
            422,
            422,
            422,
        ),
        row("/api/list_factors", Form(|_| vec![]), 401, 200, 200),
        // The owner has an app; the other user is adding one.
        row("/api/begin_totp", Form(|_| vec![]), 401, 200, 409),
        row("/api/confirm_totp", Form(|_| vec![("code", "none".into())]), 401, 422, 422),
        row("/api/new_recovery_codes", Form(|_| vec![]), 401, 409, 200),
        row("/api/begin_passkey_registration", Form(|_| vec![]), 401, 200, 200),
        row("/api/finish_passkey_registration", Json(|_| json!({"name": "My key", "credential": "{}"})), 401, 422, 422),
        row("/api/load_audit", Json(|_| json!({})), 401, 200, 403),
        row("/api/remove_picture", Form(|_| vec![]), 401, 200, 200),
        row("/api/cancel_totp", Form(|_| vec![]), 401, 200, 200),
        row(
            "/api/rename_factor",
            Form(|ids| vec![("factor", ids.factor.to_string()), ("name", "Mine".into())]),
            401,
            404,
            200,
        ),
        row("/api/put_codes_away", Form(|_| vec![]), 401, 200, 200),
        row("/api/find_proof", Json(|_| json!({})), 401, 200, 200),
        row("/api/begin_passkey_confirmation", Form(|_| vec![]), 401, 409, 409),
        row("/api/finish_passkey_confirmation", Json(|_| json!({"credential": "{}", "next": null})), 401, 422, 422),
        row("/api/remove_factor", Form(|ids| vec![("factor", ids.factor.to_string())]), 401, 404, 200),
        row("/api/list_identity_providers", Form(|_| vec![]), 200, 200, 200),
        row("/api/list_identities", Form(|_| vec![]), 401, 200, 200),
        row(
            "/api/unlink_identity",
            Form(|_| vec![("issuer", ISSUER.into()), ("subject", "bob-1".into())]),
            401,
            404,
            200,
        ),
        row("/api/load_legal", Form(|_| vec![("page", "privacy".to_owned())]), 200, 200, 200),
        row("/api/load_frame", Form(|_| vec![]), 401, 200, 200),
        row("/api/list_chats", Json(|_| json!({"filter": "all", "search": "", "cursor": null})), 401, 200, 200),
        row("/api/find_chat", Json(|ids| json!({"chat": ids.sent.chat})), 401, 404, 200),
        row(
            "/api/older_messages",
            Json(|ids| json!({"chat": ids.sent.chat, "before": ids.sent.answer})),
            401,
            404,
            200,
        ),
        row(
            "/api/message_text",
            Json(|ids| json!({"chat": ids.sent.chat, "message": ids.sent.message})),
            401,
            404,
            200,
        ),
        row("/api/choose_version", Form(answer_form), 401, 404, 200),
        row("/api/rename_chat", Form(|ids| vec![("chat", chat(ids)), ("title", "Mine now".into())]), 401, 404, 200),
        row("/api/change_chats", Form(|ids| vec![("chats[]", chat(ids)), ("action", "pin".into())]), 401, 404, 200),
        row(
            "/api/send_message",
            Form(|ids| vec![("chat", chat(ids)), ("client_id", ClientId::random().to_string()), ("text", "hi".into())]),
            401,
            404,
            200,
        ),
        row("/api/stop_answer", Form(answer_form), 401, 404, 200),
        row("/api/retry_answer", Form(answer_form), 401, 404, 200),
        row("/api/copy_branch", Form(answer_form), 401, 404, 200),
        // There is a newer answer by now.
        row("/api/continue_answer", Form(answer_form), 401, 404, 409),
        row(
            "/api/edit_message",
            Form(|ids| {
                let id = ClientId::random().to_string();
                let message = ids.sent.message.to_string();
                vec![("chat", chat(ids)), ("message", message), ("client_id", id), ("text", "hi again".into())]
            }),
            401,
            404,
            200,
        ),
        row("/api/delete_branch", Form(answer_form), 401, 404, 200),
        row("/api/change_retention", Form(|_| vec![("days", "90".into())]), 401, 200, 200),
        row("/api/change_locale", Form(|_| vec![("language", "en-US".into())]), 401, 200, 200),
        row("/api/change_name", Form(|_| vec![("name", "Bob".into())]), 401, 200, 200),
        row(
            "/api/change_password",
            Form(|_| vec![("current", "wrong-wrong".into()), ("password", "weak".into())]),
            401,
            422,
            422,
        ),
        row("/api/confirm_identity", Form(|_| vec![("password", "wrong-wrong".into())]), 401, 422, 422),
        // It changes only the browser that asks.
        row("/api/change_appearance", Form(|_| vec![("theme", "dark".into())]), 200, 200, 200),
        row("/api/load_settings", Json(|_| json!({"part": "security", "cursor": null})), 401, 200, 200),
        row(
            "/api/end_device",
            Form(|_| vec![("sign_in", "0190e2a4-7b1c-7def-8123-456789abcdef".into())]),
            401,
            404,
            404,
        ),
        row("/api/end_other_devices", Form(|_| vec![]), 401, 200, 200),
        row(
            "/api/request_mail",
            Form(|_| vec![("email", "nobody@example.org".into()), ("purpose", "confirmation".into())]),
            200,
            200,
            200,
        ),
        row("/api/check_link", Json(|_| json!({"page": "verify_address", "token": "x"})), 200, 200, 200),
        row("/api/reset_password", Form(|_| vec![("token", "x".into()), ("password", "x".into())]), 422, 422, 422),
        row("/api/request_verification", Form(|_| vec![]), 401, 200, 200),
        row("/api/verify_address", Form(|_| vec![("token", "x".into())]), 422, 422, 422),
        row("/api/request_address_change", Form(|_| vec![("email", "new@example.org".into())]), 401, 200, 200),
        row("/api/confirm_address_change", Form(|_| vec![("token", "x".into())]), 422, 422, 422),
        // Only for administrators: the other user is one, the owner is not.
        row("/api/create_invitation", Form(|_| vec![("role", "member".into())]), 401, 200, 403),
        row("/api/list_invitations", Json(|_| json!({})), 401, 200, 403),
        row("/api/revoke_invitation", Form(|_| vec![("id", unknown_chat().to_string())]), 401, 404, 403),
        row("/api/list_jobs", Json(|_| json!({})), 401, 200, 403),
        row("/api/connected_models", Json(|_| json!({})), 401, 200, 403),
        row(
            "/api/change_job",
            Form(|_| {
                let subject = unknown_chat().to_string();
                vec![("kind", "send_mail".into()), ("subject", subject), ("action", "try_again".into())]
            }),
            401,
            404,
            403,
        ),
        row("/api/load_people", Json(|_| json!({})), 401, 200, 403),
        row("/api/load_person", Json(|_| json!({"user": unknown_chat()})), 401, 404, 403),
        row(
            "/api/change_person",
            Form(|_| vec![("user", unknown_chat().to_string()), ("change", "disable".into())]),
            401,
            404,
            403,
        ),
        row(
            "/api/end_sign_in_of",
            Form(|_| vec![("user", unknown_chat().to_string()), ("sign_in", unknown_chat().to_string())]),
            401,
            404,
            403,
        ),
        row("/api/start_reset", Form(|_| vec![("user", unknown_chat().to_string())]), 401, 404, 403),
        // No removal of factors was requested.
        row("/api/refuse_factor_removal", Form(|_| vec![]), 401, 404, 404),
        // The address is not the user's own, so no deletion is scheduled.
        row("/api/delete_account", Form(|_| vec![("email", "x@example.org".into())]), 401, 422, 422),
        row("/api/keep_account", Form(|_| vec![]), 401, 404, 404),
        row("/api/request_export", Form(|_| vec![]), 401, 200, 200),
        row("/api/sign_out", Form(|_| vec![]), 200, 200, 200),
    ]
}

pub async fn call(client: &mut Client, row: &Row, ids: &Ids) -> Answer {
    match row.body {
        Json(body) => client.post_json(row.path, &body(ids)).await,
        Form(fields) => {
            let fields = fields(ids);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            client.post_form(row.path, &fields).await
        }
    }
}

/// An administrator, and a member with a chat, a second factor and a linked identity.
pub async fn admin_and_member(app: &TestApp) -> (Client, Client, Ids) {
    let ada = app.administrator().await;
    let mut bob = app.person("bob@example.org", "Bob").await;
    let sent = bob.send_message(None, "[[paced 3 5]] Bob's secret").await;
    bob.wait_for_answer(sent.chat).await;
    super::factors::add_totp_app(app, &mut bob).await;
    let factor = super::factors::factors(&mut bob).await.factors[0].id;
    link(app).await;
    (ada, bob, Ids { sent, factor })
}

/// Links an identity to Bob's account.
async fn link(app: &TestApp) {
    let mut tx = app.state.store.write().await.expect("a unit");
    let user = tx.find_user_by_email("bob@example.org").await.expect("a row").expect("Bob").id;
    let (email, created_at) = ("bob@example.org", app.state.clock.now());
    let identity = NewIdentity { issuer: ISSUER, subject: "bob-1", email, created_at };
    tx.owned_by(user).insert_identity(&identity).await.expect("an identity");
    tx.commit().await.expect("a commit");
}

#[test]
fn i01_every_server_function_has_a_row() {
    let known: BTreeSet<&str> = rows().iter().map(|row| row.path).collect();
    let found: BTreeSet<&str> = server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    assert_eq!(found, known);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i01_server_functions_return_the_statuses_of_the_table() {
    for backend in [Backend::Sqlite, Backend::PostgresAndRedis] {
        let mail = crate::support::smtp::Smtp::start().await.config();
        let app = TestApp::start_with(backend, |config| {
            config.sign_up_open = true;
            config.mail = Some(mail);
        })
        .await;
        let (mut ada, mut bob, ids) = admin_and_member(&app).await;
        let factor = FactorId::from_uuid(unknown_chat().uuid());
        let unknown = Ids { sent: StartedRun { chat: unknown_chat(), ..ids.sent.clone() }, factor };
        for row in rows() {
            let mut anonymous = app.anonymous();
            let refused = call(&mut anonymous, &row, &ids).await;
            assert_eq!(refused.status, row.anonymous, "{} by an anonymous user: {}", row.path, refused.text());
            let refused = call(&mut ada, &row, &ids).await;
            assert_eq!(refused.status, row.other, "{} by another: {}", row.path, refused.text());
            if row.other == 404 {
                let nothing = call(&mut ada, &row, &unknown).await;
                assert_eq!(
                    (refused.status, refused.body),
                    (nothing.status, nothing.body),
                    "{}: a foreign id is an unknown id",
                    row.path
                );
            }
            let done = call(&mut bob, &row, &ids).await;
            assert_eq!(done.status, row.owner, "{} by the owner: {}", row.path, done.text());
            if ["/api/send_message", "/api/retry_answer", "/api/edit_message"].contains(&row.path) {
                bob.wait_for_answer(ids.sent.chat).await;
            }
        }
    }
}

/// A route that is not a server function, with the statuses for an anonymous user, another member and the owner.
struct RouteRow {
    /// The route pattern.
    route: &'static str,
    method: Method,
    /// Whether to send a multipart form with a file. Otherwise a plain form, or no body for `GET`.
    file: bool,
    statuses: [u16; 3],
}

/// `/chats/…/events` has more tests (i03), and so have the routes of identity providers (o01 to o07).
fn route_rows() -> Vec<RouteRow> {
    let row = |route, method, file, statuses| RouteRow { route, method, file, statuses };
    vec![
        row("/chats/{chat}/runs/{run}/events", Method::GET, false, [401, 404, 200]),
        row("/settings/data/{id}", Method::GET, false, [401, 404, 404]),
        // All signed-in users may see pictures; the owner has none.
        row("/people/{id}/picture", Method::GET, false, [401, 404, 404]),
        row("/settings/picture", Method::POST, true, [401, 422, 422]),
        row("/audit/export", Method::POST, false, [401, 403, 403]),
        row("/auth/{provider}/start", Method::POST, false, [404, 404, 404]),
        row("/auth/{provider}/callback", Method::GET, false, [404, 404, 404]),
        // Public; there is no language "{language}".
        row("/locales/{language}/{version}/{file}", Method::GET, false, [404, 404, 404]),
        row("/health/live", Method::GET, false, [200, 200, 200]),
        row("/health/ready", Method::GET, false, [200, 200, 200]),
    ]
}

/// The routes in the source files, except those of static files and server functions.
fn named_routes() -> BTreeSet<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/http");
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the sources").flatten() {
        let source = std::fs::read_to_string(file.path()).expect("a source");
        for rest in source.split(".route(").skip(1) {
            let named = rest.split('"').nth(1).filter(|_| rest.starts_with('"'));
            found.extend(named.map(str::to_owned).filter(|route| !route.starts_with("/api/")));
        }
        found.extend(
            source.split("const PATH: &str = \"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned),
        );
    }
    found
}

each_db! {
    async fn i01_every_route_is_listed_and_returns_the_statuses_of_the_table(app: TestApp) {
        let known: BTreeSet<String> = route_rows().iter().map(|row| row.route.to_owned()).collect();
        assert_eq!(named_routes(), known);
        let app = app.with_open_sign_up().await;
        app.administrator().await;
        let mut cy = app.person("cy@example.org", "Cy").await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let sent = bob.send_message(None, "hello").await;
        bob.wait_for_answer(sent.chat).await;
        let id = unknown_chat().to_string();
        for row in route_rows() {
            let path = row.route.replace("{chat}", &sent.chat.to_string()).replace("{run}", &sent.run.to_string());
            let path = path.replace("{id}", &id).replace("{provider}", "none");
            for (client, status) in [&mut app.anonymous(), &mut cy, &mut bob].into_iter().zip(row.statuses) {
                let mut request = client.request(row.method.clone(), &path);
                let body = match (row.file, &row.method) {
                    (true, _) => {
                        request = request.header(CONTENT_TYPE, "multipart/form-data; boundary=x");
                        "--x\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"x\"\r\n\r\nnone\r\n--x--\r\n"
                    }
                    (false, &Method::POST) => {
                        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
                        ""
                    }
                    _ => "",
                };
                let answer = client.open(request.body(Body::from(body)).expect("a request")).await;
                assert_eq!(answer.status(), status, "{} {path}", row.method);
            }
        }
    }
}

fn unknown_chat() -> colloquy::domain::ChatId {
    "0190e2a4-7b1c-7def-8123-456789abcdef".parse().expect("an id")
}

each_db! {
    async fn i03_streams_of_others_are_not_found_and_continue(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let (mut ada, mut bob, ids) = admin_and_member(&app).await;
        let sent = bob.send_message(Some(ids.sent.chat), "[[paced 60 20]]").await;
        assert_eq!(ada.events(&sent, None).await.0, 404);
        assert_eq!(app.anonymous().events(&sent, None).await.0, 401);
        let mixed = StartedRun { chat: unknown_chat(), ..sent.clone() };
        assert_eq!(bob.events(&mixed, None).await.0, 404);
        for bad in ["0", "..", "%00", "{0190e2a4-7b1c-7def-8123-456789abcdef}", "0190E2A4-7B1C-7DEF-8123-456789ABCDEF", "'%20or%201=1"] {
            let answer = bob.get(&format!("/chats/{}/runs/{bad}/events", sent.chat)).await;
            assert!(matches!(answer.status.as_u16(), 400 | 404), "row 16: {bad}: {}", answer.status);
        }
        let end = bob.read_to_end(&sent).await;
        assert_eq!(end.state, colloquy::domain::MessageState::Complete);
    }
}

each_db! {
    async fn row_16_malformed_ids_are_refused(app: TestApp) {
        let mut ada = app.administrator().await;
        for bad in ["", "x", "00000000-0000-0000-0000-000000000000", "0190E2A4-7B1C-7DEF-8123-456789ABCDEF", "{0190e2a4-7b1c-7def-8123-456789abcdef}", "1' or '1'='1"] {
            let refused = ada.post_json("/api/find_chat", &json!({ "chat": bad })).await;
            assert_eq!(refused.status, 422, "{bad}: {}", refused.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i07_forged_fields_change_nothing() {
    let app = TestApp::start_with(Backend::Sqlite, |config| config.sign_up_open = true).await;
    let (_, mut bob, ids) = admin_and_member(&app).await;
    let ada = super::credentials::id_of(&app, "ada@example.org").await.to_string();
    let rows = async || {
        let mut rows = Vec::new();
        for columns in [
            "email || name || role || created_at || coalesce(disabled_at, '') from users",
            "hex(id) || hex(owner_id) || title || created_at || active_at from chats",
            "hex(id) || hex(owner_id) || hex(chat_id) || author || state || created_at from messages",
        ] {
            rows.extend(app.column(&format!("select {columns} order by id")).await);
        }
        rows
    };
    let before = rows().await;
    assert_eq!(before.len(), 2 + 1 + 2);
    let (id, chat) = (ClientId::random().to_string(), chat(&ids));
    let forms = [
        ("/api/send_message", [("client_id", id.as_str()), ("text", "mine")]),
        ("/api/rename_chat", [("chat", &chat), ("title", "mine")]),
        ("/api/change_locale", [("language", "en-GB"), ("time_zone", "")]),
    ];
    for (path, fields) in forms {
        for (name, value) in [
            ("owner_id", ada.as_str()),
            ("user_id", &ada),
            ("role", "administrator"),
            ("created_at", "0"),
            ("is_admin", "true"),
        ] {
            let [one, two] = fields;
            let answer = bob.post_form(path, &[one, two, (name, value)]).await;
            assert_eq!(answer.status, 422, "{path} with {name}: {}", answer.text());
        }
    }
    assert_eq!(rows().await, before);
    // It was the forged field that was refused.
    for (path, fields) in forms {
        assert_eq!(bob.post_form(path, &fields).await.status, 200, "{path}");
    }
}

#[test]
fn i01_the_access_policy_of_every_server_function_matches_its_row() {
    let rows = rows();
    for (path, _) in server_fn::axum::server_fn_paths() {
        let access = Endpoint::at(path).unwrap_or_else(|| panic!("{path} has no access policy")).access;
        let row = rows.iter().find(|row| row.path == path).unwrap_or_else(|| panic!("{path} has no row"));
        if access.needs_sign_in() {
            assert_eq!(row.anonymous, 401, "{path} is for {access:?}");
        }
        // The owner is a member, the other person an administrator.
        assert_eq!(row.owner == 403, access.is_for_administrators(), "{path} is for {access:?}");
    }
}

/// Listed in full, so that a changed access policy cannot open an endpoint unnoticed.
#[test]
fn i01_the_functions_open_before_enrolment_or_needing_reauthentication_are_listed() {
    let of = |is_meant: fn(Access) -> bool| {
        let paths = server_fn::axum::server_fn_paths().map(|(path, _)| path);
        let mut names: Vec<&str> = paths
            .filter(|path| is_meant(Endpoint::at(path).expect("a policy").access))
            .map(|path| path.trim_start_matches("/api/"))
            .collect();
        names.sort_unstable();
        names
    };
    let open = [
        "begin_passkey_check",
        "begin_passkey_confirmation",
        "begin_passkey_registration",
        "begin_passkey_sign_in",
        "begin_totp",
        "cancel_totp",
        "change_appearance",
        "check_link",
        "confirm_address_change",
        "confirm_identity",
        "confirm_totp",
        "find_proof",
        "find_sign_in_step",
        "finish_passkey_check",
        "finish_passkey_confirmation",
        "finish_passkey_registration",
        "finish_passkey_sign_in",
        "finish_sign_in",
        "keep_account",
        "list_factors",
        "list_identity_providers",
        "load_entrance",
        "load_frame",
        "load_legal",
        "load_settings",
        "put_codes_away",
        "rate_password",
        "rename_factor",
        "request_mail",
        "reset_password",
        "sign_in",
        "sign_out",
        "sign_up",
        "verify_address",
    ];
    assert_eq!(of(Access::is_open_before_enrolment), open);
    let recent = [
        "begin_passkey_registration",
        "begin_totp",
        "change_person",
        "confirm_totp",
        "create_invitation",
        "delete_account",
        "end_sign_in_of",
        "finish_passkey_registration",
        "new_recovery_codes",
        "remove_factor",
        "request_address_change",
        "request_export",
        "start_reset",
    ];
    assert_eq!(of(Access::needs_recent_authentication), recent);
}

#[test]
fn i01_every_server_function_checks_its_own_policy() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server_fns");
    let mut checked = 0;
    for file in std::fs::read_dir(folder).expect("the sources").flatten() {
        let source = std::fs::read_to_string(file.path()).expect("a source");
        for part in source.split("\nendpoint!(").skip(1) {
            let function = part.split(',').next().expect("a name");
            assert!(part.contains(&format!("RequestContext::of::<{function}>()")), "{function} asks for no policy");
            checked += 1;
        }
    }
    assert_eq!(checked, server_fn::axum::server_fn_paths().count());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i01_before_enrolment_only_endpoints_with_that_policy_are_open() {
    let app = TestApp::start_with(Backend::Sqlite, |config| {
        config.sign_up_open = true;
        config.require_second_factor = SecondFactorRequirement::Everyone;
    })
    .await;
    let mut ada = app.administrator().await;
    let id = unknown_chat().uuid();
    let (message, answer) = (MessageId::from_uuid(id), MessageId::from_uuid(id));
    let sent = StartedRun { chat: unknown_chat(), message, answer, run: RunId::from_uuid(id) };
    let ids = Ids { sent, factor: FactorId::from_uuid(id) };
    // These start or end a headers-in.
    let not_here = ["/api/sign_out", "/api/sign_in", "/api/sign_up"];
    for row in rows().iter().filter(|row| !not_here.contains(&row.path)) {
        let access = Endpoint::at(row.path).expect("a policy").access;
        let answer = call(&mut ada, row, &ids).await;
        let is_refused = answer.status == 403 && matches!(answer.error(), AppError::MfaEnrolmentRequired);
        assert_ne!(is_refused, access.is_open_before_enrolment(), "{}: {}", row.path, answer.text());
    }
    for (path, is_open) in [
        ("/", false),
        ("/people", false),
        ("/sessions", false),
        ("/settings", true),
        ("/settings/security", true),
        ("/privacy", true),
    ] {
        let page = ada.get(path).await;
        assert_eq!(page.status == 303, !is_open, "{path}: {}", page.status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn row_25_unknown_fields_of_server_functions_are_refused() {
    let app = TestApp::start_with(Backend::Sqlite, |config| config.sign_up_open = true).await;
    let (_, mut bob, ids) = admin_and_member(&app).await;
    for row in rows() {
        for name in ["user_id", "is_admin", "owner_id", "created_at", "tokens_used", "bypass_filter"] {
            let answer = match row.body {
                Json(body) => {
                    let mut body = body(&ids);
                    body[name] = json!("1");
                    bob.post_json(row.path, &body).await
                }
                Form(fields) => {
                    let fields = fields(&ids);
                    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
                    fields.push((name, "1"));
                    bob.post_form(row.path, &fields).await
                }
            };
            assert_eq!((answer.status.as_u16(), answer.error().field()), (422, Some("request")), "{} {name}", row.path);
        }
    }
    assert_eq!(bob.post_json("/api/load_frame", &json!({})).await.status, 200, "nothing of it was done");
}

each_db! {
    async fn h01_cross_site_requests_change_nothing(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "hello").await;
        ada.wait_for_answer(sent.chat).await;
        let ids = Ids { sent, factor: FactorId::from_uuid(unknown_chat().uuid()) };
        let header_sets: [&[(&str, &str)]; 7] = [
            &[("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:3000")],
            &[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:3000")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1:3001")],
            &[("sec-fetch-site", "cross-site")],
            &[],
        ];
        for row in rows() {
            for kind in ["application/x-www-form-urlencoded", "application/json", "text/plain", "multipart/form-data; boundary=x"] {
                for headers in header_sets {
                    let body = match row.body {
                        Json(body) => body(&ids).to_string(),
                        Form(fields) => {
                            let fields = fields(&ids);
                            encode(&fields.iter().map(|(n, v)| (*n, v.as_str())).collect::<Vec<_>>())
                        }
                    };
                    let mut request = ada.request(Method::GET, row.path).method(Method::POST).header(CONTENT_TYPE, kind).header(ACCEPT, "text/html");
                    for (name, value) in headers {
                        request = request.header(*name, *value);
                    }
                    let answer = ada.send(request.body(Body::from(body)).expect("a request")).await;
                    assert_eq!(answer.status, 403, "{} {kind} {headers:?}", row.path);
                }
            }
        }
        assert_eq!(ada.chat(ids.sent.chat).await.title, "hello");
    }
}

each_db! {
    async fn h02_get_requests_change_nothing(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "hello").await;
        ada.wait_for_answer(sent.chat).await;
        let before = ada.chat(sent.chat).await;
        for row in rows() {
            let answer = ada.get(&format!("{}?chat={}&action=delete&title=x", row.path, sent.chat)).await;
            assert!(matches!(answer.status.as_u16(), 404 | 405), "{}: {}", row.path, answer.status);
        }
        for path in ["/", "/sessions", "/sign-in", "/sign-up", &format!("/chats/{}", sent.chat)] {
            ada.get(path).await;
        }
        assert_eq!(ada.chat(sent.chat).await, before);
    }
}

each_db! {
    async fn i10_no_spelling_of_a_path_bypasses_access_control(app: TestApp) {
        let mut ada = app.administrator().await;
        let sent = ada.send_message(None, "hello").await;
        ada.wait_for_answer(sent.chat).await;
        let mut anonymous = app.anonymous();
        for path in ["//api/load_frame", "/api//load_frame", "/api/./load_frame", "/api/%2e%2e/api/load_frame", "/API/load_frame", "/api/load_frame/", "/api/load_frame;x", "/api/load_frame%00"] {
            let request = anonymous
                .request(Method::POST, path)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("x-user-id", "1")
                .header("x-request-from", "internal")
                .body(Body::empty())
                .expect("a request");
            let answer = anonymous.send(request).await;
            assert!(matches!(answer.status.as_u16(), 400 | 401 | 404 | 405), "row 35: {path}: {}", answer.status);
        }
        for path in [format!("/chats/{}", sent.chat), "/sessions".into(), "/".into()] {
            let answer = anonymous.get(&path).await;
            assert_eq!(answer.status, 302, "{path}: {}", answer.text());
            assert!(answer.header("location").starts_with("/sign-in"), "{}", answer.header("location"));
        }
    }
}
