//! Links from mails and invitations.

use colloquy::domain::NewInvitation;

use super::{PASSWORD, current_user, each_db, input, submit, with_mail};
use crate::support::client::Client;

const NEW: &str = "copper-lantern-orbit-77";

fn path_of(link: &str) -> &str {
    link.strip_prefix("http://127.0.0.1:3000").expect("a link of this installation")
}

async fn invite(ada: &mut Client, fields: &[(&str, &str)]) -> String {
    let made: NewInvitation = ada.post_form("/api/create_invitation", fields).await.json();
    path_of(&made.link).to_owned()
}

each_db! {
    async fn r01_a_forgotten_password_is_reset_without_scripts(app: TestApp) {
        let (app, smtp) = with_mail(&app, &[]).await;
        app.administrator().await;
        let mut anonymous = app.anonymous();
        let (to, known) = submit(&mut anonymous, "/forgot-password", "/api/request_mail", &[("purpose", "reset"), ("email", "ada@example.org")]).await;
        let (same, unknown) = submit(&mut anonymous, "/forgot-password", "/api/request_mail", &[("purpose", "reset"), ("email", "nobody@example.org")]).await;
        assert_eq!((to.as_str(), same.as_str()), ("/check-inbox", "/check-inbox"));
        let visible = |text: String| text.split("<main").nth(1).expect("a page").split("</main>").next().map(|page| page.replace("nobody@", "ada@"));
        assert!(known.text().contains("there's an account for") && known.text().contains("href=\"/forgot-password\""), "{}", known.text());
        assert_eq!(visible(known.text()), visible(unknown.text()), "a05: known and unknown addresses look the same");
        let (_, page) = submit(&mut anonymous, "/forgot-password", "/api/request_mail", &[("purpose", "reset"), ("email", "ada@")]).await;
        assert!(input(&page, "email").contains("value=\"ada@\""));

        let link = smtp.newest_mail_to(&app.state, "ada@example.org", 1).await.link();
        let link = path_of(&link);
        let page = anonymous.get(link).await;
        assert_eq!(page.status, 200);
        assert_eq!((page.header("referrer-policy"), page.header("cache-control")), ("same-origin", "no-store"));
        assert!(!page.text().contains("ada@example.org") && !page.text().contains("Ada"), "nothing of the account");
        assert!(!page.text().contains("href=\"http"), "no links to other sites");
        let token = link.split_once('=').expect("a token").1;
        let (to, page) = submit(&mut anonymous, link, "/api/reset_password", &[("token", token), ("password", "weak")]).await;
        assert!(to.starts_with("/reset-password?token=") && input(&page, "token").contains(token), "{to}");
        assert!(input(&page, "password").contains("aria-invalid=\"true\""));
        let (to, page) = submit(&mut anonymous, link, "/api/reset_password", &[("token", token), ("password", NEW)]).await;
        assert_eq!(to, "/sign-in?done=reset");
        assert!(page.text().contains("Password changed."));
        let (_, page) = submit(&mut anonymous, link, "/api/reset_password", &[("token", token), ("password", NEW)]).await;
        assert!(page.text().contains("This link has expired or was already used.") && page.text().contains("href=\"/forgot-password\""));
        let page = anonymous.get(link).await;
        assert_eq!(page.status, 410);
        assert!(page.text().contains("Send a new link") && !page.text().contains("<form"), "a dead link has no form: {}", page.text());
        assert!(anonymous.get("/reset-password").await.text().contains("This link is incomplete"));
    }
}

each_db! {
    async fn without_mail_no_reset_link_can_be_requested(app: TestApp) {
        app.administrator().await;
        let page = app.anonymous().get("/forgot-password").await;
        assert!(page.text().contains("This server can't send email.") && !page.text().contains("<form"), "{}", page.text());
    }
}

each_db! {
    async fn r01_opening_a_verification_link_does_nothing_until_the_button_is_pressed(app: TestApp) {
        let (app, smtp) = with_mail(&app, &["example.org"]).await;
        app.administrator().await;
        let mut bob = app.anonymous();
        let fields = [("name", "Bob"), ("email", "bob@example.org"), ("password", PASSWORD)];
        let (to, page) = submit(&mut bob, "/sign-up", "/api/sign_up", &fields).await;
        assert_eq!(to, "/check-inbox");
        assert!(page.text().contains("Check your inbox") && current_user(&mut bob).await.is_none());

        let link = smtp.newest_mail_to(&app.state, "bob@example.org", 1).await.link();
        let link = path_of(&link);
        let token = link.split_once('=').expect("a token").1;
        for _ in 0..2 {
            let page = app.anonymous().get(link).await;
            assert!(page.text().contains("Confirm email") && input(&page, "token").contains(token), "{}", page.text());
        }
        let (_, page) = submit(&mut bob, "/sign-in", "/api/sign_in", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
        assert!(page.text().contains("Confirm your email first"), "opening it did nothing");
        assert!(input(&page, "email").contains("value=\"bob@example.org\""));
        let (to, page) = submit(&mut app.anonymous(), link, "/api/verify_address", &[("token", token)]).await;
        assert_eq!(to, "/sign-in?done=verified");
        assert!(page.text().contains("Your email is confirmed."));
        let (_, page) = submit(&mut bob, link, "/api/verify_address", &[("token", token)]).await;
        for page in [page, app.anonymous().get(link).await, app.anonymous().get("/verify-address?token=x").await] {
            assert_eq!(page.status, 410);
            assert_eq!(page.text().matches("This link has expired or was already used.").count(), 1, "{}", page.text());
            assert!(!page.text().contains("Only continue if") && !page.text().contains("name=\"token\""), "{}", page.text());
            assert!(page.text().contains("Send a new link") && input(&page, "email").contains("type=\"email\""));
        }
        // The form knows the address in the browser that requested a mail to it, and only there.
        assert!(input(&bob.get("/verify-address?token=x").await, "email").contains("value=\"bob@example.org\""));
        assert!(!input(&app.anonymous().get(link).await, "email").contains("bob@"));
        // The form of a dead link leads to the page that says where another one was mailed.
        let (to, page) = submit(&mut app.anonymous(), link, "/api/request_mail", &[("email", "bob@example.org"), ("purpose", "confirmation")]).await;
        assert_eq!(to, "/check-inbox");
        assert!(page.text().contains("bob@example.org"));
        let (to, _) = submit(&mut bob, "/sign-in", "/api/sign_in", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
        assert_eq!(to, "/");

        bob.post_form("/api/request_address_change", &[("email", "robert@example.net")]).await;
        let link = smtp.newest_mail_to(&app.state, "robert@example.net", 1).await.link();
        let link = path_of(&link);
        let token = link.split_once('=').expect("a token").1;
        assert!(bob.get(link).await.text().contains("Change email"));
        assert_eq!(current_user(&mut bob).await.expect("Bob").email, "bob@example.org");
        let (to, page) = submit(&mut bob, link, "/api/confirm_address_change", &[("token", token)]).await;
        assert_eq!(to, "/confirm-address?done=changed");
        assert!(page.text().contains("Email changed."));
        assert_eq!(current_user(&mut bob).await.expect("Bob").email, "robert@example.net");
        let page = bob.get(link).await;
        assert_eq!(page.status, 410);
        assert!(page.text().contains("href=\"/settings#address\"") && !page.text().contains("<form"), "{}", page.text());
    }
}

each_db! {
    async fn invitation_pages_show_the_role_the_expiry_and_the_end(app: TestApp) {
        let mut ada = app.administrator().await;
        assert!(app.anonymous().get("/sign-up").await.text().contains("Sign-up is closed"));
        let link = invite(&mut ada, &[("role", "administrator"), ("email", "Eve@example.org")]).await;
        let mut eve = app.anonymous();
        let page = eve.get(&link).await;
        assert_eq!(page.status, 200);
        let field = input(&page, "email");
        assert!(field.contains("value=\"Eve@example.org\"") && field.contains("readonly"), "{field}");
        assert!(page.text().contains("You've been invited as an administrator. This invitation expires on"), "{}", page.text());
        let token = link.split_once('=').expect("a token").1;
        assert!(input(&page, "invitation").contains(token));
        let fields = [("name", "Eve"), ("email", "Eve@example.org"), ("password", "weak"), ("invitation", token)];
        let (to, page) = submit(&mut eve, &link, "/api/sign_up", &fields).await;
        assert!(to.starts_with("/sign-up?invitation=") && input(&page, "name").contains("value=\"Eve\""), "{to}");
        assert!(input(&page, "invitation").contains(token));
        let fields = [("name", "Eve"), ("email", "Eve@example.org"), ("password", PASSWORD), ("invitation", token)];
        let (to, _) = submit(&mut eve, &link, "/api/sign_up", &fields).await;
        assert_eq!(to, "/");
        for dead in [link.as_str(), "/sign-up?invitation=nonsense"] {
            let page = app.anonymous().get(dead).await;
            assert_eq!(page.status, 410);
            assert!(page.text().contains("This invitation is no longer valid") && !page.text().contains("<form"), "{dead}");
        }
        let open = invite(&mut ada, &[("role", "member"), ("uses", "2"), ("days", "1")]).await;
        let page = app.anonymous().get(&open).await;
        assert!(!input(&page, "email").contains("readonly") && page.text().contains("You've been invited to Colloquy. This invitation expires on"));
        app.state.clock.advance(86_401);
        assert_eq!(app.anonymous().get(&open).await.status, 410);
    }
}
