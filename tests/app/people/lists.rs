//! The list of people: search and pagination.

use std::collections::BTreeSet;

use colloquy::{
    domain::{AccountStatus, AppError, People, Role, SignUpPolicy},
    server::{audit::RequestMeta, people::Actor},
};
use serde_json::json;

use super::{ada_and_bob, change, id_of};
use crate::support::{
    app::{Backend, TestApp, each_db},
    client::Client,
};

async fn people(client: &mut Client, search: &str, cursor: Option<&str>) -> People {
    let answer = client.post_json("/api/load_people", &json!({ "search": search, "cursor": cursor })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn names(client: &mut Client, search: &str) -> Vec<String> {
    people(client, search, None).await.page.people.into_iter().map(|person| person.name).collect()
}

/// Inserts many accounts that have never signed in directly into the database.
async fn insert_people(app: &TestApp, count: u32) {
    let statement = match app.backend() {
        Backend::Sqlite => format!(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < {count})
             insert into users (id, email, email_key, name, name_key, password_hash, role, created_at)
             select randomblob(16), 'p' || i || '@example.net', 'p' || i || '@example.net',
                    'Person ' || i, 'person ' || i, '', 'member', i from n"
        ),
        Backend::PostgresAndRedis => format!(
            "insert into users (id, email, email_key, name, name_key, password_hash, role, created_at)
             select gen_random_uuid(), 'p' || i || '@example.net', 'p' || i || '@example.net',
                    'Person ' || i, 'person ' || i, '', 'member', i from generate_series(1, {count}) i"
        ),
    };
    app.execute(&statement).await;
}

each_db! {
    async fn people_are_found_by_name_and_address(app: TestApp) {
        let (app, mut ada, _) = ada_and_bob(&app).await;
        app.person("e.nagy@example.com", "Élodie Nagy").await;
        app.person("odd@example.org", "100%_sure\\").await;
        assert_eq!(names(&mut ada, "").await, ["100%_sure\\", "Ada", "Bob", "Élodie Nagy"]);
        assert_eq!(names(&mut ada, "ÉLODIE").await, ["Élodie Nagy"]);
        assert_eq!(names(&mut ada, " Example.COM ").await, ["Élodie Nagy"]);
        for literal in ["%_", "\\", "100%"] {
            assert_eq!(names(&mut ada, literal).await, ["100%_sure\\"], "{literal}");
        }
        assert_eq!(names(&mut ada, "' or '1'='1").await, Vec::<String>::new());
        let mut bob = app.signed_in("bob@example.org").await;
        bob.post_form("/api/change_name", &[("name", "ZOË")]).await;
        assert_eq!(names(&mut ada, "zoë").await, ["ZOË"], "a new name is found");
    }
}

each_db! {
    async fn the_list_shows_people_with_their_status(app: TestApp) {
        let (app, mut ada, _) = ada_and_bob(&app).await;
        insert_people(&app, 1).await;
        change(&mut ada, id_of(&app, "bob@example.org").await, "disable").await;
        let shown = people(&mut ada, "", None).await;
        let listed: Vec<_> = shown.page.people.iter().map(|p| (p.name.as_str(), p.role, p.status, p.last_seen_at.is_some())).collect();
        assert_eq!(listed, [
            ("Ada", Role::Administrator, AccountStatus::Active, true),
            ("Bob", Role::Member, AccountStatus::Disabled, true),
            ("Person 1", Role::Member, AccountStatus::NeverSeen, false),
        ]);
        assert_eq!((shown.policy, shown.mails, shown.recently_authenticated), (SignUpPolicy::Open, false, true));
        let page = ada.get("/people?q=bob").await;
        let text = page.text();
        assert_eq!(page.status, 200, "{text}");
        assert!(text.contains("bob@example.org") && text.contains("Deactivated") && !text.contains("p1@example.net"), "{text}");
        assert!(text.contains("Anyone can sign up.") && text.contains("Share invitations and reset links yourself."), "{text}");
    }
}

each_db! {
    async fn row_17_people_are_paginated_and_cursors_are_checked(app: TestApp) {
        let (app, mut ada, mut bob) = ada_and_bob(&app).await;
        insert_people(&app, 120).await;
        let (mut cursor, mut seen, mut pages) = (None, Vec::new(), 0);
        loop {
            let page = people(&mut ada, "", cursor.as_deref()).await.page;
            assert!(page.people.len() <= 50);
            seen.extend(page.people.into_iter().map(|person| person.id));
            pages += 1;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((pages, seen.len()), (3, 122));
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 122, "no duplicates");
        for bad in ["x", "-1", "1000000000", "YQ.1", "..", &"A".repeat(5_000)] {
            let refused = ada.post_json("/api/load_people", &json!({ "search": "", "cursor": bad })).await;
            assert_eq!(refused.error().field(), Some("cursor"), "{bad:.30}");
            assert_eq!(ada.get(&format!("/people?after={bad}")).await.status, 422, "{bad:.30}");
        }
        for bad in ["a\0b", &"x".repeat(201)] {
            let refused = ada.post_json("/api/load_people", &json!({ "search": bad })).await;
            assert_eq!(refused.error().field(), Some("search"), "{bad:.30}");
        }
        let next = people(&mut ada, "", None).await.page.next.expect("more");
        let refused = bob.post_json("/api/load_people", &json!({ "search": "", "cursor": next })).await;
        assert_eq!(refused.error(), AppError::Forbidden, "an administrator's cursor");
        let first = ada.get("/people?q=person").await.text();
        let link = first.split('"').find(|text| text.starts_with("/people?q=person&amp;after=")).expect("a link").replace("&amp;", "&");
        let second = ada.get(&link).await.text();
        assert!(second.contains("Person 54") && second.contains("Back to the first page") && !second.contains("Person 1<"), "{second}");
    }
}

each_db! {
    async fn row_18_secret_fields_cannot_be_sorted_or_filtered(app: TestApp) {
        let (app, mut ada, _) = ada_and_bob(&app).await;
        for name in ["sort", "order_by", "filter", "fields", "password_hash"] {
            for value in ["password_hash", "id;--", "role"] {
                let answer = ada.post_json("/api/load_people", &json!({ "search": "", name: value })).await;
                assert_eq!(answer.status, 422, "{name}={value}");
                let page = ada.get(&format!("/people?{name}={value}")).await;
                assert!(page.status == 200 && !page.text().contains("$argon2"), "{name}={value}");
            }
        }
        let plain = ada.post_json("/api/load_people", &json!({ "search": "" })).await;
        assert!(plain.status == 200 && !plain.text().contains("hash") && !plain.text().contains("argon2"), "{}", plain.text());
        let user = id_of(&app, "bob@example.org").await;
        for bad in ["password_hash", "delete", "id;--", "", "MakeMember"] {
            assert_eq!(change(&mut ada, user, bad).await.status, 422, "{bad}");
        }
    }
}

each_db! {
    async fn members_cannot_open_the_people_pages(app: TestApp) {
        let (app, _, mut bob) = ada_and_bob(&app).await;
        let unknown = bob.get("/no-such-page").await.status;
        assert_eq!(unknown, 404);
        let ada = id_of(&app, "ada@example.org").await;
        for path in ["/people".to_owned(), "/people?q=ada".into(), format!("/people/{ada}"), "/people/x".into()] {
            let answer = bob.get(&path).await;
            assert_eq!(answer.status, unknown, "{path}");
            assert!(!answer.text().contains("ada@example.org"), "{path}");
            let answer = app.anonymous().get(&path).await;
            assert!(answer.status == 302 && answer.header("location").starts_with("/sign-in"), "{path}");
        }
        assert!(!bob.get("/sessions").await.text().contains("\"/people\""));
        let mut ada = app.signed_in("ada@example.org").await;
        assert!(ada.get("/sessions").await.text().contains("\"/people\""));
        assert_eq!(ada.get("/people/0190e2a4-7b1c-7def-8123-456789abcdef").await.status, 404);
    }
}

each_db! {
    async fn ten_thousand_people_are_listed_once_each(app: TestApp) {
        let (app, ..) = ada_and_bob(&app).await;
        insert_people(&app, 10_000).await;
        let id = if app.backend() == Backend::Sqlite { "randomblob(16)" } else { "gen_random_uuid()" };
        let sign_ins = format!(
            "insert into sign_ins (id, user_id, created_at, last_used_at, authenticated_at, idle_seconds, ends_at, user_agent, address)
             select {id}, u.id, n.i, n.i, n.i, 60, 100, '', '' from users u, (select 1 as i union all select 2 union all select 3) n"
        );
        app.execute(&sign_ins).await;
        let ada = app.administrator_caller(id_of(&app, "ada@example.org").await, "ada");
        let meta = RequestMeta::default();
        let by = Actor::administrator(&ada, &meta);
        let people = &app.state.people;
        // The benchmark measures how long this takes.
        for (search, count) in [("", 10_002), ("person 99", 111), ("nobody at all", 0)] {
            let (mut names, mut cursor) = (BTreeSet::new(), None);
            loop {
                let page = people.list_people(&by, search, cursor.as_deref()).await.expect("a page");
                for person in page.people {
                    assert!(names.insert(person.name.clone()), "{search:?}: {} is listed twice", person.name);
                }
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(names.len(), count, "{search:?}");
        }
    }
}
