//! Coming in by an identity provider, and everything that must not come in that way.

use std::time::{Duration, Instant};

use axum::{
    body::Body,
    http::{Method, header::CONTENT_TYPE},
};
use colloquy::{
    domain::{AppError, CurrentUser, Identity, IdentityProvider, Role},
    server::config::{Config, PublicUrl},
};
use openidconnect::url::Url;
use serde_json::json;

use crate::support::{
    app::{Kept, PASSWORD, TestApp},
    client::{Answer, Client},
    provider::{Plan, Provider, Signed, person},
    smtp::Smtp,
};

/// An installation that knows a provider.
struct House {
    app: TestApp,
    provider: Provider,
}

/// Runs a test on each database, with a provider and an open door.
macro_rules! each_house {
    (async fn $name:ident($house:ident: House) $body:block) => {
        mod $name {
            use super::*;

            async fn test($house: House) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                test(House::start(Kept::Sqlite, |config| config.sign_up_open = true).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                test(House::start(Kept::PostgresAndRedis, |config| config.sign_up_open = true).await).await;
            }
        }
    };
}

mod attacks;
mod dialects;
mod races;
mod set_up;
mod unverified;

impl House {
    async fn start(kept: Kept, change: impl FnOnce(&mut Config)) -> Self {
        let provider = Provider::start().await;
        let known = provider.config();
        let app = TestApp::start_with(kept, |config| {
            config.identity_providers.push(known);
            change(config);
        })
        .await;
        provider.keep_time_by(&app.state.clock);
        Self { app, provider }
    }

    /// Begins a way to the provider and agrees there: the path that leads back.
    async fn way_back(&self, client: &mut Client, fields: &[(&str, &str)]) -> String {
        let away = client.submit("/auth/test/start", fields).await;
        assert_eq!(away.status, 303, "{}", away.text());
        self.provider.agree(away.header("location")).await
    }

    /// The whole way there and back.
    async fn visit(&self, client: &mut Client, fields: &[(&str, &str)]) -> Answer {
        let back = self.way_back(client, fields).await;
        client.get(&back).await
    }

    /// The whole way there and back, for whom the provider vouches by this plan.
    async fn visit_as(&self, client: &mut Client, plan: Plan) -> Answer {
        self.provider.vouch(plan);
        self.visit(client, &[]).await
    }

    /// Somebody who is signed in by the provider.
    async fn guest(&self, subject: &str, email: &str) -> Client {
        let mut client = self.app.stranger();
        let done = self.visit_as(&mut client, person(subject, email)).await;
        assert_eq!(done.status, 303, "{}", done.text());
        client
    }
}

async fn who(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<colloquy::server_fns::account::Entrance>().user
}

async fn identities(client: &mut Client) -> Vec<Identity> {
    client.post_form("/api/list_identities", &[]).await.json()
}

async fn unlink(client: &mut Client, identity: &Identity) -> Answer {
    let fields = [("issuer", identity.issuer.as_str()), ("subject", identity.subject.as_str())];
    client.post_form("/api/unlink_identity", &fields).await
}

/// A page for people with this status, and nobody has come in.
async fn assert_refused(client: &mut Client, answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    assert!(answer.header("content-type").starts_with("text/html"), "{what}: a page");
    assert_eq!(who(client).await, None, "{what}: no session");
}

each_house! {
    async fn strangers_come_in_by_a_provider_and_are_known_again(house: House) {
        house.app.administrator().await;
        let providers: Vec<IdentityProvider> =
            house.app.stranger().post_form("/api/list_identity_providers", &[]).await.json();
        assert_eq!(providers, [IdentityProvider { name: "test".into(), label: "Test & Sons".into() }]);

        let mut vera = house.app.stranger();
        let done = house.visit(&mut vera, &[("next", "/sessions")]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/sessions"), "{}", done.text());
        let made = who(&mut vera).await.expect("Vera");
        assert_eq!((made.name.as_str(), made.email.as_str(), made.role), ("Vera", "vera@example.org", Role::Member));

        house.app.state.clock.advance(3_000);
        let mut again = house.app.stranger();
        let done = house.visit(&mut again, &[]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"));
        assert_eq!(who(&mut again).await.expect("Vera").id, made.id);
        let [known] = &identities(&mut again).await[..] else { panic!("one identity") };
        assert_eq!((known.label.as_str(), known.subject.as_str()), ("Test & Sons", "vera-1"));
        assert!(known.last_used_at.micros() - known.created_at.micros() >= 3_000_000_000, "{known:?}");

        // An account with a password links, comes in by the provider, and unlinks.
        let mut ada = house.app.signed_in("ada@example.org").await;
        house.provider.vouch(person("ada-1", "ada@elsewhere.example"));
        let done = house.visit(&mut ada, &[("purpose", "link")]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/settings"), "{}", done.text());
        let mut elsewhere = house.app.stranger();
        house.visit(&mut elsewhere, &[]).await;
        let signed_in = who(&mut elsewhere).await.expect("Ada");
        assert_eq!((signed_in.email.as_str(), signed_in.role), ("ada@example.org", Role::Administrator));
        let linked = identities(&mut ada).await;
        assert_eq!(linked.len(), 1);
        assert_eq!(unlink(&mut ada, &linked[0]).await.status, 200);
        assert_eq!(unlink(&mut ada, &linked[0]).await.status, 404);
        let acts = "select action || ' ' || detail from audit where action like '%link_identity' order by at";
        assert_eq!(house.app.column(acts).await, ["link_identity Test & Sons", "unlink_identity Test & Sons"]);
        assert_eq!(identities(&mut ada).await, []);
        let mut other = house.app.stranger();
        house.visit(&mut other, &[]).await;
        assert_ne!(who(&mut other).await.expect("a new account").id, signed_in.id);
    }
}

each_house! {
    async fn o07_a_provider_that_hangs_harms_nobody_else(house: House) {
        house.app.administrator().await;
        let mut known = house.app.stranger();
        let back = house.way_back(&mut known, &[]).await;
        house.provider.delay(Duration::from_secs(60));
        // What it said about itself is too old by now, but the way back is not.
        house.app.state.clock.advance(590);
        let begun = Instant::now();
        let hanging = tokio::spawn(async move {
            let answer = known.get(&back).await;
            (known, answer)
        });
        for _ in 0..3 {
            let mut ada = house.app.stranger();
            let tried = Instant::now();
            let form = [("email", "ada@example.org"), ("password", PASSWORD)];
            assert_eq!(ada.post_form("/api/sign_in", &form).await.status, 200);
            assert!(tried.elapsed() < Duration::from_secs(3), "signing in took {:?}", tried.elapsed());
        }
        let (mut known, answer) = hanging.await.expect("an answer");
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
        assert_refused(&mut known, &answer, 503, "the token does not come").await;
        assert!(answer.text().contains("Test &amp; Sons does not answer right now."), "{}", answer.text());

        house.app.state.clock.advance(3_600);
        let begun = Instant::now();
        let waiting = (0..4).map(|_| {
            let mut client = house.app.stranger();
            tokio::spawn(async move { client.submit("/auth/test/start", &[]).await })
        });
        for answer in waiting.collect::<Vec<_>>() {
            let answer = answer.await.expect("an answer");
            assert_eq!(answer.status, 503);
            assert!(answer.header("content-type").starts_with("text/html"), "a page for people");
        }
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
        house.provider.delay(Duration::ZERO);
        house.guest("vera-1", "vera@example.org").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn o07_a_provider_that_is_not_there_does_not_hold_up_the_start() {
    let mut gone = Provider::start().await.config();
    gone.issuer = "http://127.0.0.1:1".to_owned();
    let app = TestApp::start_with(Kept::Sqlite, |config| config.identity_providers.push(gone)).await;
    app.administrator().await;
    let answer = app.stranger().submit("/auth/test/start", &[]).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
}

each_house! {
    async fn o07_a_provider_is_asked_about_itself_once_and_may_change_its_keys(house: House) {
        house.app.administrator().await;
        for _ in 0..3 {
            house.guest("vera-1", "vera@example.org").await;
        }
        assert_eq!(house.provider.discovered(), 1);
        house.provider.rename_key("key-2");
        house.guest("vera-1", "vera@example.org").await;
        assert_eq!(house.provider.discovered(), 1, "only the keys were asked for");
        house.app.state.clock.advance(3_601);
        house.guest("vera-1", "vera@example.org").await;
        assert_eq!(house.provider.discovered(), 2);
    }
}

each_house! {
    async fn o07_a_provider_that_says_odd_things_about_itself_is_not_used(house: House) {
        house.app.administrator().await;
        let secure = "https://login.example/authorize";
        for odd in [
            json!({ "issuer": "https://login.example" }),
            json!({ "issuer": format!("{}/", house.provider.issuer()) }),
            json!({ "authorization_endpoint": "http://login.example/authorize" }),
            json!({ "authorization_endpoint": "javascript:alert(1)" }),
            json!({ "authorization_endpoint": null }),
            json!({ "jwks_uri": "http://192.0.2.1/keys" }),
            json!({ "authorization_endpoint": secure, "op_policy_uri": "x".repeat(1_000_001) }),
        ] {
            house.app.state.clock.advance(3_601);
            house.provider.claim(odd.clone());
            let answer = house.app.stranger().submit("/auth/test/start", &[]).await;
            assert_eq!(answer.status, 503, "{}", odd.to_string().chars().take(200).collect::<String>());
        }
        house.provider.claim(json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }));
        house.guest("vera-1", "vera@example.org").await;

        // Where people are sent from now on, and nowhere else.
        house.app.state.clock.advance(3_601);
        house.provider.claim(json!({ "authorization_endpoint": secure }));
        let away = house.app.stranger().submit("/auth/test/start", &[]).await;
        assert!(away.header("location").starts_with(secure), "{}", away.text());
        let page = house.app.stranger().get("/sign-in").await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("form-action 'self' https://login.example; base-uri"), "{policy}");
    }
}

/// Shuts Vera's account, as an administrator would.
async fn shut_vera(app: &TestApp) {
    let statement = "update users set disabled_at = 1 where email_key = 'vera@example.org'";
    let changed = app.execute(statement).await;
    assert_eq!(changed, 1);
}

each_house! {
    async fn shut_accounts_are_refused_like_forgeries(house: House) {
        house.app.administrator().await;
        let mut inside = house.guest("vera-1", "vera@example.org").await;
        shut_vera(&house.app).await;
        assert_eq!(who(&mut inside).await, None);
        let mut outside = house.app.stranger();
        let shut = house.visit(&mut outside, &[]).await;
        assert_refused(&mut outside, &shut, 400, "shut").await;
        let forged = Plan { signed: Signed::Not, ..person("vera-1", "vera@example.org") };
        let forged = house.visit_as(&mut outside, forged).await;
        assert_eq!(shut.body, forged.body);
    }
}

each_house! {
    async fn r06_the_last_way_to_sign_in_stays(house: House) {
        house.app.administrator().await;
        let mut vera = house.guest("vera-1", "vera@example.org").await;
        let own = identities(&mut vera).await;
        let refused = unlink(&mut vera, &own[0]).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        house.provider.vouch(person("vera-2", "vera@example.org"));
        assert_eq!(house.visit(&mut vera, &[("purpose", "link")]).await.status, 303);
        let own = identities(&mut vera).await;
        assert_eq!(own.len(), 2);
        // Of two that remove one each at once, one fails.
        let (mut one, mut two) = (vera.clone(), vera.clone());
        let (first, second) = tokio::join!(unlink(&mut one, &own[0]), unlink(&mut two, &own[1]));
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        assert_eq!(identities(&mut vera).await.len(), 1);
    }
}

each_house! {
    async fn linking_is_for_those_who_are_signed_in(house: House) {
        let mut ada = house.app.administrator().await;
        let mut bob = house.app.person("bob@example.org", "Bob").await;
        let refused = house.app.stranger().submit("/auth/test/start", &[("purpose", "link")]).await;
        assert_eq!(refused.status, 401);
        let refused = ada.submit("/auth/test/start", &[("purpose", "take")]).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        let refused = ada.submit("/auth/test/start", &[("purpose", "sign_in"), ("purpose", "link")]).await;
        assert_eq!(refused.status, 400, "{}", refused.text());

        assert_eq!(house.visit(&mut ada, &[("purpose", "link")]).await.status, 303);
        assert_eq!(house.visit(&mut ada, &[("purpose", "link")]).await.status, 303, "again changes nothing");
        let linked = identities(&mut ada).await;
        assert_eq!(linked.len(), 1);
        let refused = house.visit(&mut bob, &[("purpose", "link")]).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert_eq!(identities(&mut bob).await, []);
        let (foreign, unknown) = (unlink(&mut bob, &linked[0]).await, {
            let none = Identity { subject: "nobody".into(), ..linked[0].clone() };
            unlink(&mut bob, &none).await
        });
        assert_eq!((foreign.status.as_u16(), &foreign.body), (404, &unknown.body));

        // Somebody who signs in as another on the way does not get the first one's link.
        house.provider.vouch(person("new-1", "new@example.org"));
        let back = house.way_back(&mut ada, &[("purpose", "link")]).await;
        bob.cookies.insert("colloquy-flow".to_owned(), ada.cookies["colloquy-flow"].clone());
        assert_eq!(bob.get(&back).await.status, 400);
        assert_eq!((identities(&mut ada).await.len(), identities(&mut bob).await.len()), (1, 0));
    }
}

each_house! {
    async fn a09_exactly_one_is_the_first_by_whichever_way(house: House) {
        let mut tries = Vec::new();
        for index in 0..4 {
            let mut browser = house.app.stranger();
            let subject = format!("guest-{index}");
            house.provider.vouch(person(&subject, &format!("{subject}@example.org")));
            let back = house.way_back(&mut browser, &[]).await;
            tries.push((browser, back));
        }
        let guests = tries.into_iter().map(|(mut browser, back)| {
            tokio::spawn(async move {
                browser.get(&back).await;
                browser
            })
        });
        let others = (0..4).map(|index| {
            let mut browser = house.app.stranger();
            tokio::spawn(async move {
                let email = format!("p{index}@example.org");
                browser.post_form("/api/sign_up", &[("email", &email), ("name", "P"), ("password", PASSWORD)]).await;
                browser
            })
        });
        let mut administrators = std::collections::BTreeSet::new();
        for tried in guests.chain(others).collect::<Vec<_>>() {
            let mut browser = tried.await.expect("an answer");
            if let Some(user) = who(&mut browser).await.filter(|user| user.role == Role::Administrator) {
                administrators.insert(user.id);
            }
        }
        assert_eq!(administrators.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a09_the_door_closes_behind_the_first_one() {
    for (kept, open, by_provider) in
        [(Kept::Sqlite, false, true), (Kept::PostgresAndRedis, false, true), (Kept::Sqlite, true, false)]
    {
        let house = House::start(kept, |config| {
            config.sign_up_open = open;
            config.identity_providers[0].sign_up = by_provider;
        })
        .await;
        let mut first = house.guest("first-1", "first@example.org").await;
        assert_eq!(who(&mut first).await.expect("the first").role, Role::Administrator);
        let mut second = house.app.stranger();
        let answer = house.visit_as(&mut second, person("second-1", "second@example.org")).await;
        assert_refused(&mut second, &answer, 403, "the door is closed").await;
        let found = house.app.state.store.read().await.expect("a unit").find_user_by_email("second@example.org").await;
        assert!(found.expect("an answer").is_none(), "nothing is left of it");
        house.guest("first-1", "first@example.org").await;
    }
}

each_house! {
    async fn forms_may_lead_to_providers_and_only_from_our_pages(house: House) {
        let page = house.app.stranger().get("/sign-in").await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains(&format!("form-action 'self' {};", house.provider.issuer())), "{policy}");

        let mut browser = house.app.stranger();
        for (site, origin) in [("cross-site", "https://evil.example"), ("same-site", "http://127.0.0.1:3001"), ("none", "null")] {
            let request = browser
                .request(Method::GET, "/auth/test/start")
                .method(Method::POST)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("sec-fetch-site", site)
                .header("origin", origin);
            assert_eq!(browser.send(request.body(Body::empty()).expect("a request")).await.status, 403);
        }
        assert_eq!(browser.get("/auth/test/start").await.status, 405);
        assert_eq!(browser.submit("/auth/other/start", &[]).await.status, 404);
        assert!(browser.cookies.is_empty());

        // The way back crosses sites, as browsers say.
        let back = house.way_back(&mut browser, &[]).await;
        let request = browser
            .request(Method::GET, &back)
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "navigate")
            .header("referer", house.provider.issuer());
        let done = browser.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(done.status, 303);
        assert!(!browser.cookies.contains_key("colloquy-flow"), "it has served");
    }
}

each_house! {
    async fn nobody_begins_without_end(house: House) {
        let mut eager = house.app.stranger().at("198.51.100.7");
        for _ in 0..60 {
            assert_eq!(eager.submit("/auth/test/start", &[]).await.status, 303);
        }
        let refused = eager.post_form("/auth/test/start", &[]).await;
        assert!(matches!(refused.error(), AppError::RateLimited { .. }), "{}", refused.text());
        assert_eq!(house.app.stranger().at("203.0.113.9").submit("/auth/test/start", &[]).await.status, 303);
    }
}

each_house! {
    async fn s08_a_provider_confirms_the_person_whose_it_is(house: House) {
        house.app.administrator().await;
        let mut vera = house.guest("vera-1", "vera@example.org").await;
        let password = [("password", "plum-harbor-sextant-42")];
        house.app.state.clock.advance(11 * 60);
        assert_eq!(vera.post_form("/api/change_password", &password).await.status, 403, "not even the first one");
        let proof: colloquy::domain::Proof = vera.post_json("/api/find_proof", &serde_json::json!({})).await.json();
        assert!(!proof.fresh && !proof.password && proof.providers.len() == 1, "{proof:?}");
        assert_eq!(vera.post_form("/api/confirm_identity", &[("password", "")]).await.status, 409);

        // Somebody else there, or one who signed in there long ago.
        let next = [("purpose", "confirm"), ("next", "/settings#password-section")];
        house.provider.vouch(person("mallory-1", "mallory@example.org"));
        let refused = house.visit(&mut vera, &next).await;
        assert_eq!(refused.status, 400, "{}", refused.text());
        let mut stale = person("vera-1", "vera@example.org");
        stale.claims["auth_time"] = (house.app.state.clock.now().micros() / 1_000_000 - 3_600).into();
        house.provider.vouch(stale);
        assert_eq!(house.visit(&mut vera, &next).await.status, 400);
        assert_eq!(vera.post_form("/api/change_password", &password).await.status, 403);

        // A provider that does not say when, and one whose clock is far ahead of ours.
        for odd in [json!(null), json!("+7200"), json!("just now")] {
            let mut silent = person("vera-1", "vera@example.org");
            silent.claims["auth_time"] = odd.clone();
            house.provider.vouch(silent);
            let refused = house.visit(&mut vera, &next).await;
            assert_eq!(refused.status, 400, "{odd}: {}", refused.text());
            assert!(!refused.text().contains("begin again"), "{odd}: {}", refused.text());
        }
        assert_eq!(vera.post_form("/api/change_password", &password).await.status, 403);
        let told = "select detail from audit where action = 'setup_fault'";
        let told = house.app.column(told).await;
        assert!(told.len() == 1 && told[0].contains("`auth_time` is missing"), "{told:?}");

        house.provider.vouch(person("vera-1", "vera@example.org"));
        let before = vera.cookies["colloquy"].clone();
        let done = house.visit(&mut vera, &next).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/settings#password-section"));
        assert_ne!(vera.cookies["colloquy"], before, "s02: the session has a new id");
        assert_eq!(vera.post_form("/api/change_password", &password).await.status, 200);
        let mut again = house.app.stranger();
        let form = [("email", "vera@example.org"), password[0]];
        assert_eq!(again.post_form("/api/sign_in", &form).await.status, 200);
    }
}

each_house! {
    async fn l01_refused_ways_are_written_down(house: House) {
        let mut ada = house.app.administrator().await;
        let acts = async || {
            let sql = "select a.action || ' ' || a.detail || ' ' || coalesce(u.name, 'nobody') from audit a
                       left join users u on u.id = a.subject_id where a.outcome = 'refused' order by a.at, a.id";
            house.app.column(sql).await
        };
        let mut mallory = house.app.stranger();
        assert_eq!(mallory.get("/auth/test/callback?state=forged&code=x").await.status, 400);
        let forged = Plan { signed: Signed::Not, ..person("vera-1", "vera@example.org") };
        assert_eq!(house.visit_as(&mut mallory, forged).await.status, 400);
        assert_eq!(house.visit_as(&mut mallory, person("vera-1", "ada@example.org")).await.status, 409);
        assert_eq!(acts().await, ["sign_in Test & Sons nobody", "sign_in Test & Sons nobody", "sign_up Test & Sons nobody"]);
        house.guest("vera-2", "vera@example.org").await;
        assert_eq!(house.visit(&mut ada, &[("purpose", "link")]).await.status, 409, "it is Vera's");
        assert_eq!(acts().await[3..], ["link_identity Test & Sons Ada"]);
        let made = "select action || ' ' || detail from audit where outcome = 'done' and subject_id =
                    (select id from users where email = 'vera@example.org') order by at, id";
        let known = ["sign_up Test & Sons", "verify_address by a provider", "sign_in Test & Sons"];
        assert_eq!(house.app.column(made).await, known);
        // However often it is tried.
        for _ in 0..80 {
            mallory.get("/auth/test/callback?state=forged&code=x").await;
        }
        assert!(acts().await.len() <= 64, "{}", acts().await.len());
    }
}

each_house! {
    async fn r05_another_way_in_is_told_by_mail(house: House) {
        let smtp = Smtp::start().await;
        let mail = smtp.config();
        let house = House::start(house.app.kept(), |config| config.mail = Some(mail)).await;
        let mut ada = house.app.administrator().await;
        assert_eq!(house.visit(&mut ada, &[("purpose", "link")]).await.status, 303);
        let linked = identities(&mut ada).await;
        assert_eq!(unlink(&mut ada, &linked[0]).await.status, 200);
        let mails = smtp.mails_to(&house.app.state, "ada@example.org", 2).await;
        for (mail, told) in mails.iter().zip(["Signing in with Test & Sons was linked", "was unlinked"]) {
            let text = mail.part("text/plain");
            assert!(text.contains(told) && text.contains("from 127.0.0.*"), "{text}");
        }
    }
}

each_house! {
    async fn who_is_invited_may_come_by_a_provider(house: House) {
        let house = House::start(house.app.kept(), |config| config.identity_providers[0].sign_up = false).await;
        house.app.administrator().await;
        let mut uninvited = house.app.stranger();
        let shut = house.visit_as(&mut uninvited, person("vera-1", "vera@example.org")).await;
        assert_refused(&mut uninvited, &shut, 403, "the door is closed").await;

        let token = house.app.invitation_for(None).await;
        let page = house.app.stranger().get(&format!("/sign-up?invitation={token}")).await;
        assert!(page.text().contains("Continue with Test &amp; Sons") && page.text().matches(&token).count() >= 2, "{}", page.text());
        let mut vera = house.app.stranger();
        let done = house.visit(&mut vera, &[("invitation", &token)]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"), "{}", done.text());
        let made = who(&mut vera).await.expect("Vera");
        assert_eq!((made.email.as_str(), made.role), ("vera@example.org", Role::Member));
        let written = house.app.column("select detail from audit where action = 'sign_up' and outcome = 'done' order by at, id").await;
        assert_eq!(written, ["", "invitation"]);

        // It was for one, and it is not for whoever forges one.
        house.provider.vouch(person("walter-1", "walter@example.org"));
        for token in [token.as_str(), &"A".repeat(43)] {
            let mut walter = house.app.stranger();
            let refused = house.visit(&mut walter, &[("invitation", token)]).await;
            assert_refused(&mut walter, &refused, 400, "a dead invitation").await;
        }
        let bad = house.app.stranger().submit("/auth/test/start", &[("invitation", "x")]).await;
        assert_eq!(bad.status, 400, "{}", bad.text());
        // For one address alone.
        let bound = house.app.invitation_for(Some("xenia@example.org")).await;
        let mut walter = house.app.stranger();
        let refused = house.visit(&mut walter, &[("invitation", &bound)]).await;
        assert_refused(&mut walter, &refused, 400, "another's invitation").await;
        house.provider.vouch(person("xenia-1", "xenia@example.org"));
        let mut xenia = house.app.stranger();
        assert_eq!(house.visit(&mut xenia, &[("invitation", &bound)]).await.status, 303);
        assert_eq!(who(&mut xenia).await.expect("Xenia").email, "xenia@example.org");
        assert_eq!(house.app.column("select email from users").await.len(), 3);
    }
}
