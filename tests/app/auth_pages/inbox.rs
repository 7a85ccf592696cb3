//! Confirming the address of a new account: the page that says where the link was mailed, and mailing it again.

use super::{PASSWORD, current_user, each_db, input, submit, with_mail};
use crate::{
    credentials::id_of,
    support::{
        app::TestApp,
        client::{Answer, Client},
    },
};

const INBOX: &str = "colloquy-inbox";
const REQUEST: &str = "/api/request_mail";

async fn sign_up(client: &mut Client, email: &str) -> (String, Answer) {
    let fields = [("name", "Guest"), ("email", email), ("password", PASSWORD)];
    submit(client, "/sign-up", "/api/sign_up", &fields).await
}

async fn send_again(client: &mut Client, email: &str) -> (String, Answer) {
    let fields = [("email", email), ("purpose", "sign_up"), ("again", "on")];
    submit(client, "/check-inbox", REQUEST, &fields).await
}

/// What readers get, with the address replaced.
fn main_of(page: &Answer, email: &str) -> String {
    let text = page.text().replace(email, "ADDRESS");
    let main = text.split("<main").nth(1).and_then(|rest| rest.split("</main>").next());
    main.unwrap_or_else(|| panic!("no page: {text}")).to_owned()
}

fn cookie_names(client: &Client) -> Vec<&str> {
    let mut names: Vec<&str> = client.cookies.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Signs Bob up and confirms his address.
async fn with_bob(app: &TestApp, smtp: &crate::support::smtp::Smtp) {
    let mut bob = app.anonymous();
    sign_up(&mut bob, "bob@example.org").await;
    let token = smtp.newest_mail_to(&app.state, "bob@example.org", 1).await.token();
    assert_eq!(bob.post_form("/api/verify_address", &[("token", &token)]).await.status, 200);
}

each_db! {
    async fn a05_the_inbox_page_is_the_same_for_every_address(app: TestApp) {
        let (app, smtp) = with_mail(&app, &[]).await;
        app.administrator().await;
        with_bob(&app, &smtp).await;
        let (mut new, mut known) = (app.anonymous(), app.anonymous());
        let (to, page) = sign_up(&mut new, "new@example.org").await;
        let (same, other) = sign_up(&mut known, "bob@example.org").await;
        assert_eq!((to.as_str(), same.as_str()), ("/check-inbox", "/check-inbox"), "no address in the URL");
        assert!(page.text().contains("Check your inbox") && page.text().contains("new@example.org"), "{}", page.text());
        assert!(page.text().contains("Send again") && page.text().contains("href=\"/sign-up\""));
        assert_eq!(main_of(&page, "new@example.org"), main_of(&other, "bob@example.org"));
        assert_eq!((page.status, cookie_names(&new)), (other.status, cookie_names(&known)));
        assert!(page.header("set-cookie").is_empty(), "the page can be loaded again");

        // One that nobody has, from a browser that has signed nobody up.
        let mut stranger = app.anonymous();
        let (mut pages, addresses) = (Vec::new(), ["new@example.org", "bob@example.org", "nobody@example.org"]);
        for (client, email) in [&mut new, &mut known, &mut stranger].into_iter().zip(addresses) {
            let (to, page) = send_again(client, email).await;
            assert_eq!((to.as_str(), page.status.as_u16()), ("/check-inbox?done=again", 200), "{email}");
            assert!(page.text().contains("role=\"status\""), "{email}");
            pages.push(main_of(&page, email));
        }
        assert!(pages.iter().all(|page| *page == pages[0]));
        app.state.accounts.process_mail_requests().await.expect("the requests");
        let confirmations = smtp.mails_to(&app.state, "new@example.org", 2).await;
        let told = smtp.mails_to(&app.state, "bob@example.org", 3).await;
        assert!(told[1..].iter().all(|mail| mail.header("Subject") == "You already have an account"));
        assert_eq!(smtp.received().len(), 5, "nothing for the third address");

        // The first link still works, and the second one does too.
        let newest = confirmations[1].token();
        assert_ne!(confirmations[0].token(), newest);
        assert_eq!(app.anonymous().post_form("/api/verify_address", &[("token", &newest)]).await.status, 200);
    }
}

each_db! {
    async fn a07_mails_that_are_sent_again_count_against_the_limit_of_sign_up(app: TestApp) {
        let (app, smtp) = with_mail(&app, &[]).await;
        app.administrator().await;
        let mut pages = Vec::new();
        for email in ["new@example.org", "nobody@example.org"] {
            let mut client = app.anonymous();
            // The mail of the sign-up counts; for the address that nobody has, the first request does.
            if email == "new@example.org" {
                sign_up(&mut client, email).await;
            } else {
                send_again(&mut client, email).await;
            }
            for _ in 0..2 {
                assert_eq!(send_again(&mut client, email).await.0, "/check-inbox?done=again");
            }
            let (to, page) = send_again(&mut client, email).await;
            assert!(to.starts_with("/check-inbox?") && !to.contains(email), "{to}");
            assert!(page.text().contains("role=\"alert\"") && !page.text().contains("role=\"status\""), "{}", page.text());
            let words = page.text().split("role=\"alert\"").nth(1).and_then(|rest| rest.split("</p>").next()).map(str::to_owned);
            pages.push(words.expect("a message"));
            let refused = client.post_form(REQUEST, &[("email", email), ("purpose", "confirmation")]).await;
            assert_eq!(refused.status, 429);
        }
        assert_eq!(pages[0], pages[1]);
        assert_eq!(smtp.mails_to(&app.state, "new@example.org", 3).await.len(), 3);
        assert_eq!(smtp.received().len(), 3);
    }
}

each_db! {
    async fn the_address_of_the_inbox_page_is_in_a_cookie_of_the_browser_for_an_hour(app: TestApp) {
        let (app, _smtp) = with_mail(&app, &[]).await;
        app.administrator().await;
        let mut guest = app.anonymous();
        let form = [("name", "Guest"), ("email", "guest@example.org"), ("password", PASSWORD)];
        let answer = guest.submit("/api/sign_up", &form).await;
        let line = answer.header("set-cookie");
        assert!(line.starts_with("colloquy-inbox=") && !line.contains("guest@example.org"), "{line}");
        assert!(line.ends_with("; HttpOnly; SameSite=Strict; Path=/; Max-Age=3600"), "{line}");

        let page = guest.get("/check-inbox").await;
        assert!(page.text().contains("guest@example.org") && page.header("cache-control") == "no-store");
        for path in ["/check-inbox", "/sign-in", "/sign-up", "/forgot-password"] {
            let other = app.anonymous().get(path).await;
            assert!(other.status == 200 && !other.text().contains("guest@example.org"), "{path}: no other visitor's page");
        }
        // Without the cookie, or with one that says nothing, it asks for the address.
        let another = guest.get("/check-inbox?with=another").await;
        guest.cookies.insert(INBOX.to_owned(), "sign_up=%3Cscript%3Ealert(1)".to_owned());
        for page in [another, guest.get("/check-inbox").await, app.anonymous().get("/check-inbox").await] {
            assert!(input(&page, "email").contains("type=\"email\"") && !page.text().contains("alert(1)"), "{}", page.text());
        }
        let (to, page) = submit(&mut guest, "/check-inbox", REQUEST, &[("email", "guest@"), ("purpose", "confirmation")]).await;
        assert!(to.starts_with("/check-inbox?") && input(&page, "email").contains("value=\"guest@\""), "{to}");
        let (to, page) = submit(&mut guest, &to, REQUEST, &[("email", "guest@example.org"), ("purpose", "confirmation")]).await;
        assert_eq!(to, "/check-inbox");
        assert!(page.text().contains("If there's an account for") && page.text().contains("guest@example.org"), "{}", page.text());
    }
}

each_db! {
    async fn a_confirmed_address_leads_to_the_sign_in_page_that_knows_it(app: TestApp) {
        let (app, smtp) = with_mail(&app, &[]).await;
        let mut ada = app.administrator().await;
        sign_up(&mut app.anonymous(), "guest@example.org").await;
        let link = smtp.newest_mail_to(&app.state, "guest@example.org", 1).await.token();
        // Another browser than the one that signed up.
        let mut guest = app.anonymous();
        let page = format!("/verify-address?token={link}");
        let (to, page) = submit(&mut guest, &page, "/api/verify_address", &[("token", &link)]).await;
        assert_eq!(to, "/sign-in?done=verified");
        assert!(page.text().contains("Your email is confirmed. Sign in to continue."), "{}", page.text());
        assert!(input(&page, "email").contains("value=\"guest@example.org\""), "{}", input(&page, "email"));
        assert_eq!(current_user(&mut guest).await, None, "a link does not sign in");
        assert!(!guest.get("/sign-in").await.text().contains("value=\"guest@example.org\""));
        let (to, _) = submit(&mut guest, "/sign-in?done=verified", "/api/sign_in", &[("email", "guest@example.org"), ("password", PASSWORD)]).await;
        assert_eq!((to.as_str(), guest.cookies.contains_key(INBOX)), ("/", false), "it is forgotten");

        // Somebody who is signed in stays where they are.
        assert_eq!(ada.post_form("/api/request_verification", &[]).await.status, 200);
        let link = smtp.newest_mail_to(&app.state, "ada@example.org", 1).await.token();
        let page = format!("/verify-address?token={link}");
        let (to, page) = submit(&mut ada, &page, "/api/verify_address", &[("token", &link)]).await;
        assert_eq!((to.as_str(), ada.cookies.contains_key(INBOX)), ("/verify-address?done=verified", false));
        assert!(page.text().contains("Your email is confirmed.") && page.text().contains("Continue"));
    }
}

each_db! {
    async fn a_confirmed_address_signs_in_the_browser_of_the_sign_up_only(app: TestApp) {
        let (app, smtp) = with_mail(&app, &[]).await;
        let mut ada = app.administrator().await;
        let verify = async |client: &mut Client, token: &str| {
            let page = format!("/verify-address?token={token}");
            submit(client, &page, "/api/verify_address", &[("token", token)]).await.0
        };
        let token = async |email: &str, mails: usize| smtp.newest_mail_to(&app.state, email, mails).await.token();

        let mut guest = app.anonymous();
        sign_up(&mut guest, "guest@example.org").await;
        assert_eq!(current_user(&mut guest).await, None);
        let pending = guest.cookies.clone();
        let link = token("guest@example.org", 1).await;
        assert_eq!(verify(&mut guest, &link).await, "/");
        assert_eq!(current_user(&mut guest).await.expect("the guest").email, "guest@example.org");
        assert!(!guest.cookies.contains_key(INBOX), "it is forgotten");
        // The session has a new id, and the old one is worth nothing.
        let mut copy = app.anonymous();
        copy.cookies = pending;
        assert_eq!(current_user(&mut copy).await, None);

        // The browser that signed someone else up, or that used an address that was taken.
        let (mut one, mut two) = (app.anonymous(), app.anonymous());
        sign_up(&mut one, "one@example.org").await;
        sign_up(&mut two, "two@example.org").await;
        let link = token("one@example.org", 1).await;
        assert_eq!(verify(&mut two, &link).await, "/sign-in?done=verified");
        let link = token("two@example.org", 1).await;
        sign_up(&mut one, "two@example.org").await;
        assert_eq!(verify(&mut one, &link).await, "/sign-in?done=verified");
        assert_eq!((current_user(&mut one).await, current_user(&mut two).await), (None, None));

        // After a new password, or when the account is disabled meanwhile, the sign-up proves nothing.
        let mut late = app.anonymous();
        sign_up(&mut late, "late@example.org").await;
        let link = token("late@example.org", 1).await;
        app.execute("update users set credentials_version = credentials_version + 1 where email_key = 'late@example.org'").await;
        assert_eq!(verify(&mut late, &link).await, "/sign-in?done=verified");
        let mut shut = app.anonymous();
        sign_up(&mut shut, "shut@example.org").await;
        let link = token("shut@example.org", 1).await;
        let id = id_of(&app, "shut@example.org").await.to_string();
        assert_eq!(ada.post_form("/api/change_person", &[("user", &id), ("change", "disable")]).await.status, 200);
        let _ = verify(&mut shut, &link).await;
        assert_eq!((current_user(&mut late).await, current_user(&mut shut).await), (None, None));
    }
}

each_db! {
    async fn a_sign_in_before_the_confirmation_shows_one_notice(app: TestApp) {
        let (app, smtp) = with_mail(&app, &[]).await;
        app.administrator().await;
        sign_up(&mut app.anonymous(), "guest@example.org").await;
        let mut guest = app.anonymous();
        let form = [("email", "Guest@example.org"), ("password", PASSWORD)];
        for sent in [true, true, true, false] {
            let (to, page) = submit(&mut guest, "/sign-in?done=signed-out", "/api/sign_in", &form).await;
            assert!(to.starts_with("/sign-in?") && !to.contains("example.org"), "{to}");
            assert!(!page.text().contains("role=\"status\"") && !page.text().contains("You've signed out"), "{}", page.text());
            let new = page.text().contains("We've sent a new link to Guest@example.org.");
            let recent = page.text().contains("We sent you a link recently; look in your inbox.");
            assert_eq!((new, recent), (sent, !sent), "{}", page.text());
        }
        assert_eq!(smtp.mails_to(&app.state, "guest@example.org", 1).await.len() + smtp.mails_to(&app.state, "Guest@example.org", 3).await.len(), 4);
        let (_, page) = submit(&mut guest, "/sign-in?done=signed-out", "/api/sign_in", &[("email", "guest@example.org"), ("password", "wrong")]).await;
        assert!(page.text().contains("Wrong email or password.") && !page.text().contains("You've signed out"), "{}", page.text());
    }
}
