//! Sessions where Redis stands in front of the database, and where it fails.

use std::time::{Duration, Instant};

use colloquy::{
    domain::{CurrentUser, MessageState},
    server::{
        clock::Clock,
        config::Config,
        state::{AppState, StartError},
    },
    server_fns::account::Entrance,
};
use leptos::prelude::LeptosOptions;
use tokio_util::sync::CancellationToken;

use crate::support::{
    app::{PASSWORD, TestApp, each_db},
    client::Client,
    redis::Redis,
};

/// Forty requests that do not wait for Redis take less together, also on a busy machine; if each waited its 250 ms, they
/// would take ten seconds.
const SOON: Duration = Duration::from_secs(5);

/// The same installation once more, with this Redis.
async fn with(app: &TestApp, redis: &Redis) -> TestApp {
    TestApp::start_with(app.kept(), |config| config.redis_url = Some(redis.url().into())).await
}

async fn who(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<Entrance>().user
}

/// Waits until this Redis is asked for sessions again.
async fn asked_again(redis: &Redis, client: &mut Client) {
    for _ in 0..100 {
        redis.reset_counts();
        who(client).await;
        if redis.counts().get("get").is_some_and(|count| *count > 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("Redis is back and not used");
}

/// Everything works, soon: signing in, reading, sending, the stream, and what is ended stays ended.
async fn all_works(app: &TestApp, ada: &mut Client, thief: &mut Client) {
    let begun = Instant::now();
    assert!(who(ada).await.is_some(), "she is still signed in");
    for _ in 0..40 {
        assert!(who(ada).await.is_some());
    }
    assert_eq!(ada.get("/sessions").await.status, 200);
    assert!(begun.elapsed() < SOON, "reading: {:?}", begun.elapsed());
    assert_eq!(ada.get("/health/ready").await.status, 200);

    let mut other = app.signed_in("ada@example.org").await;
    let sent = other.say(None, "[[paced 5 20]]").await;
    assert_eq!(other.read_to_end(&sent).await.state, MessageState::Complete);

    let begun = Instant::now();
    thief.cookies.clone_from(&other.cookies);
    assert!(who(thief).await.is_some());
    assert_eq!(other.post_form("/api/sign_out", &[]).await.status, 200);
    assert_eq!(who(thief).await, None);
    assert!(begun.elapsed() < SOON, "signing out: {:?}", begun.elapsed());
}

each_db! {
    async fn m02_redis_that_is_stopped_and_comes_back_empty_harms_nobody(app: TestApp) {
        let mut redis = Redis::start();
        let app = with(&app, &redis).await;
        let (mut ada, mut thief) = (app.administrator().await, app.stranger());
        assert!(who(&mut ada).await.is_some());
        redis.stop();
        all_works(&app, &mut ada, &mut thief).await;
        redis.begin(&[]);
        asked_again(&redis, &mut ada).await;
        assert_eq!((who(&mut ada).await.is_some(), who(&mut thief).await), (true, None));
    }
}

each_db! {
    async fn m02_redis_that_is_paused_and_goes_on_opens_nothing(app: TestApp) {
        let redis = Redis::start();
        let app = with(&app, &redis).await;
        let other = app.another().await;
        let (mut ada, mut thief) = (app.administrator().await, app.stranger());
        let mut before = app.signed_in("ada@example.org").await;
        let mut ended = before.clone();
        assert!(who(&mut ended).await.is_some(), "there is a copy of it in Redis");
        redis.signal("-STOP");
        assert_eq!(before.post_form("/api/sign_out", &[]).await.status, 200);
        all_works(&app, &mut ada, &mut thief).await;
        redis.signal("-CONT");
        // The other instance has not seen that anything was amiss.
        let mut elsewhere = other.stranger();
        elsewhere.cookies.clone_from(&ended.cookies);
        assert_eq!((who(&mut elsewhere).await, who(&mut ended).await), (None, None));
        asked_again(&redis, &mut ada).await;
        assert_eq!((who(&mut ended).await, who(&mut thief).await), (None, None));
        assert!(who(&mut ada).await.is_some());
    }
}

each_db! {
    async fn m02_redis_that_is_flushed_signs_nobody_out(app: TestApp) {
        let redis = Redis::start();
        let app = with(&app, &redis).await;
        let (mut ada, mut thief) = (app.administrator().await, app.stranger());
        assert!(who(&mut ada).await.is_some());
        redis.say(&[b"FLUSHALL"]);
        assert_eq!(redis.keys(), 0);
        all_works(&app, &mut ada, &mut thief).await;
        assert!(redis.keys() > 0, "it has copies again");
    }
}

each_db! {
    async fn m02_a_copy_that_was_left_behind_is_nobodys(app: TestApp) {
        let redis = Redis::start();
        let app = with(&app, &redis).await;
        let mut ada = app.administrator().await;
        let mut old = ada.clone();
        assert!(who(&mut old).await.is_some());
        assert_eq!(redis.keys(), 1);
        let key = redis.say(&[b"RANDOMKEY"]);
        let copy = redis.say(&[b"GET", &key]);
        assert_eq!(ada.post_form("/api/confirm_identity", &[("password", PASSWORD)]).await.status, 200);
        assert_eq!(redis.say(&[b"EXISTS", &key]), b":0\r\n", "the new id's copy is the only one");
        redis.say(&[b"SET", &key, &copy]);
        assert_eq!(who(&mut old).await, None, "s02: the old id of a sign-in that holds");
        assert!(who(&mut ada).await.is_some());
        redis.say(&[b"SET", &key, b"\xffnot a record"]);
        assert_eq!(who(&mut old).await, None);
        assert_eq!(app.column("select record from sessions").await.len(), 1);
    }
}

each_db! {
    async fn m02_checking_a_session_asks_redis_once(app: TestApp) {
        let redis = Redis::start();
        let app = with(&app, &redis).await;
        let mut ada = app.administrator().await;
        who(&mut ada).await;
        redis.reset_counts();
        for _ in 0..20 {
            assert!(who(&mut ada).await.is_some());
        }
        assert_eq!(redis.counts().into_iter().collect::<Vec<_>>(), [("get".to_owned(), 20)]);
        redis.reset_counts();
        for _ in 0..20 {
            assert_eq!(app.stranger().get("/sign-in").await.status, 200);
        }
        assert_eq!(redis.counts().len(), 0, "strangers cost nothing");
    }
}

each_db! {
    async fn m02_the_program_starts_while_redis_is_away(app: TestApp) {
        let mut redis = Redis::planned();
        let app = with(&app, &redis).await;
        let (mut ada, mut thief) = (app.administrator().await, app.stranger());
        all_works(&app, &mut ada, &mut thief).await;
        redis.begin(&[]);
        asked_again(&redis, &mut ada).await;
        assert!(who(&mut ada).await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m02_an_address_of_redis_that_is_wrong_stops_the_start() {
    let mut redis = Redis::planned();
    redis.begin(&["--requirepass", "right"]);
    let with_password = |password: &str| redis.url().replace("//", &format!("//:{password}@"));
    let open = async |url: String| {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config { data: folder.path().join("data"), redis_url: Some(url.into()), ..Config::default() };
        let options = LeptosOptions::builder().output_name("colloquy").build();
        AppState::open(config, Clock::default(), options, CancellationToken::new()).await
    };
    for url in [redis.url(), with_password("wrong"), "x".into()] {
        let refused = open(url.clone()).await.err();
        let Some(StartError::Redis(error)) = refused else { panic!("{url}: {refused:?}") };
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
    assert!(open(with_password("right")).await.is_ok());
}
