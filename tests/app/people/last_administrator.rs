//! Protection of the last administrator.

use colloquy::{
    domain::{AppError, PersonChange, Role, UserId},
    server::{audit::RequestMeta, fault::Fault, people::Actor},
};

use super::{ada_and_bob, change, current_user, id_of};
use crate::credentials::caller as signed_in_caller;
use crate::support::{app::each_db, client::Client};

async fn confirmed(client: &mut Client, user: UserId, name: &str) -> u16 {
    let form = [("user", &*user.to_string()), ("change", name), ("confirmed", "on")];
    client.post_form("/api/change_person", &form).await.status.as_u16()
}

each_db! {
    async fn row_78_demoting_oneself_needs_confirmation_and_another_administrator(app: TestApp) {
        let (app, mut ada, _) = ada_and_bob(&app).await;
        let (own, bob) = (id_of(&app, "ada@example.org").await, id_of(&app, "bob@example.org").await);
        for name in ["make_member", "disable"] {
            assert_eq!(change(&mut ada, own, name).await.error().field(), Some("confirmed"), "{name}");
            assert_eq!(confirmed(&mut ada, own, name).await, 409, "{name}");
        }
        assert_eq!(current_user(&mut ada).await.expect("still here").role, Role::Administrator);
        let form = [("user", &*own.to_string()), ("change", "disable"), ("confirmed", "on")];
        let led = ada.submit("/api/change_person", &form).await;
        let query = led.header("location").split_once('?').expect("an error in the address").1.to_owned();
        let page = ada.get(&format!("/people/{own}?{query}")).await.text();
        assert!(page.contains("You need at least one active administrator."), "{page}");
        assert!(page.contains("This is my own account. I know"), "{page}");
        assert_eq!(change(&mut ada, bob, "make_administrator").await.status, 200);
        assert_eq!(change(&mut ada, bob, "disable").await.status, 200);
        assert_eq!(confirmed(&mut ada, own, "make_member").await, 409, "a disabled administrator does not count");
        assert_eq!(change(&mut ada, bob, "enable").await.status, 200);
        assert_eq!(change(&mut ada, own, "make_member").await.error().field(), Some("confirmed"));
        assert_eq!(confirmed(&mut ada, own, "make_member").await, 200);
        assert_eq!(current_user(&mut ada).await, None);
        let mut ada = app.signed_in("ada@example.org").await;
        assert_eq!(current_user(&mut ada).await.expect("Ada").role, Role::Member);
        let mut bob_there = app.signed_in("bob@example.org").await;
        assert_eq!(confirmed(&mut bob_there, bob, "disable").await, 409);
    }
}

each_db! {
    async fn row_78_the_limits_of_invitations_are_checked(app: TestApp) {
        let mut ada = app.administrator().await;
        for (field, value) in [("uses", "0"), ("uses", "1001"), ("uses", "4294967295"), ("days", "0"), ("days", "91")] {
            let refused = ada.post_form("/api/create_invitation", &[("role", "member"), (field, value)]).await;
            assert_eq!(refused.error().field(), Some(field), "{field}={value}");
        }
        for (field, value) in [("uses", "-1"), ("days", "1e3"), ("uses", "9999999999999"), ("role", "owner")] {
            let mut form = vec![("role", "member"), (field, value)];
            if field == "role" {
                form.remove(0);
            }
            assert_eq!(ada.post_form("/api/create_invitation", &form).await.status, 422, "{field}={value}");
        }
    }
}

each_db! {
    async fn l03_two_administrators_cannot_concurrently_demote_each_other(app: TestApp) {
        let (app, mut ada_there, mut bob_there) = ada_and_bob(&app).await;
        let other = app.second_instance().await;
        let (ada, bob) = (id_of(&app, "ada@example.org").await, id_of(&app, "bob@example.org").await);
        app.execute("update users set role = 'administrator'").await;
        let (as_ada, as_bob) =
            (signed_in_caller(&app, &mut ada_there).await, signed_in_caller(&app, &mut bob_there).await);
        let meta = RequestMeta::default();
        for round in 0..100 {
            let mut tx = app.state.store.write().await.expect("a unit");
            for user in [ada, bob] {
                tx.admin().update_role(user, Role::Administrator).await.expect("a row");
                tx.admin().update_disabled(user, None).await.expect("a row");
            }
            tx.commit().await.expect("a commit");
            // The change of the previous round has revoked a sign-in.
            app.execute(
                "update sign_ins set ended_at = null, credentials_version =
                   (select u.credentials_version from users u where u.id = sign_ins.user_id)",
            )
            .await;
            let change = if round % 2 == 0 { PersonChange::MakeMember } else { PersonChange::Disable };
            // On two instances; in every third round both demote themselves.
            let (first, second) = if round % 3 == 0 { (ada, bob) } else { (bob, ada) };
            let (one, two) = (Actor::administrator(&as_ada, &meta), Actor::administrator(&as_bob, &meta));
            let (one, two) = tokio::join!(
                app.state.people.change_person(&one, first, change, true),
                other.state.people.change_person(&two, second, PersonChange::MakeMember, true),
            );
            let done = [&one, &two].iter().filter(|result| result.is_ok()).count();
            assert_eq!(done, 1, "round {round}: {one:?} {two:?}");
            for refused in [one, two].into_iter().filter_map(Result::err) {
                assert!(matches!(refused, Fault::App(AppError::Forbidden | AppError::Conflict { .. })), "{refused:?}");
            }
            let left = app.state.store.read().await.expect("a unit").admin().count_administrators().await;
            assert_eq!(left.expect("a count"), 1, "round {round}");
        }
        other.stop().await;
    }
}

each_db! {
    async fn l03_two_administrators_cannot_concurrently_delete_their_accounts(app: TestApp) {
        let (app, ..) = ada_and_bob(&app).await;
        let other = app.second_instance().await;
        let (ada, bob) = (id_of(&app, "ada@example.org").await, id_of(&app, "bob@example.org").await);
        let (as_ada, as_bob) = (app.administrator_caller(ada, "ada"), app.administrator_caller(bob, "bob"));
        let meta = RequestMeta::default();
        for round in 0..50 {
            app.execute("update users set role = 'administrator', deletion_at = null, deletion_asked_at = null").await;
            let (one, two) = tokio::join!(
                app.state.privacy.request_deletion(&as_ada, "ada@example.org", &meta),
                other.state.privacy.request_deletion(&as_bob, "bob@example.org", &meta),
            );
            assert_eq!([&one, &two].iter().filter(|result| result.is_ok()).count(), 1, "round {round}: {one:?} {two:?}");
            let left = app.column("select email from users where deletion_at is null").await;
            assert_eq!(left.len(), 1, "round {round}: {left:?}");
        }
        other.stop().await;
    }
}
