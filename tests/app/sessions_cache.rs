//! Redis as the session cache in front of the database, and failures of Redis.

use colloquy::{
    domain::{AuthPageData, CurrentUser, MessageState},
    server::{
        clock::Clock,
        config::Config,
        state::{AppState, StartError},
    },
};
use leptos::prelude::LeptosOptions;
use tokio_util::sync::CancellationToken;

use crate::support::{
    app::{PASSWORD, TestApp, each_db},
    client::Client,
    redis::Redis,
    wait::wait_until,
};

/// Another installation on the same kind of database, with this Redis.
async fn with_redis(app: &TestApp, redis: &Redis) -> TestApp {
    TestApp::start_with(app.backend(), |config| config.redis_url = Some(redis.url().into())).await
}

async fn current_user(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<AuthPageData>().user
}

/// Waits until Redis is used again.
async fn wait_until_used(redis: &Redis, client: &mut Client) {
    wait_until("Redis is used again", async || {
        redis.reset_command_counts();
        current_user(client).await;
        redis.command_counts().get("get").is_some_and(|count| *count > 0)
    })
    .await;
}

/// Whether Redis answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RedisState {
    Up,
    Down,
}

/// Checks that everything works: signing in, reading, sending, streaming, and that signing out is effective. If Redis is
/// down, only the first requests may wait for it: after that, it is bypassed.
async fn assert_works(app: &TestApp, ada: &mut Client, thief: &mut Client, redis: RedisState) {
    assert!(current_user(ada).await.is_some(), "she is still signed in");
    assert_eq!(app.state.sessions.is_cache_bypassed(), redis == RedisState::Down);
    for _ in 0..40 {
        assert!(current_user(ada).await.is_some());
    }
    assert_eq!(ada.get("/sessions").await.status, 200);
    assert_eq!(ada.get("/health/ready").await.status, 200);

    let mut other = app.signed_in("ada@example.org").await;
    let sent = other.send_message(None, "[[paced 5 20]]").await;
    assert_eq!(other.read_to_end(&sent).await.state, MessageState::Complete);

    thief.cookies.clone_from(&other.cookies);
    assert!(current_user(thief).await.is_some());
    assert_eq!(other.post_form("/api/sign_out", &[]).await.status, 200);
    assert_eq!(current_user(thief).await, None);
    assert_eq!(app.state.sessions.is_cache_bypassed(), redis == RedisState::Down);
}

each_db! {
    async fn m02_redis_may_stop_and_restart_empty(app: TestApp) {
        let mut redis = Redis::start();
        let app = with_redis(&app, &redis).await;
        let (mut ada, mut thief) = (app.administrator().await, app.anonymous());
        assert!(current_user(&mut ada).await.is_some());
        redis.stop();
        assert_works(&app, &mut ada, &mut thief, RedisState::Down).await;
        redis.launch(&[]);
        wait_until_used(&redis, &mut ada).await;
        assert_eq!((current_user(&mut ada).await.is_some(), current_user(&mut thief).await), (true, None));
    }
}

each_db! {
    async fn m02_a_paused_redis_does_not_restore_ended_sessions(app: TestApp) {
        let redis = Redis::start();
        let app = with_redis(&app, &redis).await;
        let other = app.second_instance().await;
        let (mut ada, mut thief) = (app.administrator().await, app.anonymous());
        let mut before = app.signed_in("ada@example.org").await;
        let mut ended = before.clone();
        assert!(current_user(&mut ended).await.is_some(), "there is a copy of it in Redis");
        redis.signal("-STOP");
        assert_eq!(before.post_form("/api/sign_out", &[]).await.status, 200);
        assert_works(&app, &mut ada, &mut thief, RedisState::Down).await;
        redis.signal("-CONT");
        // The other instance has not noticed the failure.
        let mut elsewhere = other.anonymous();
        elsewhere.cookies.clone_from(&ended.cookies);
        assert_eq!((current_user(&mut elsewhere).await, current_user(&mut ended).await), (None, None));
        wait_until_used(&redis, &mut ada).await;
        assert_eq!((current_user(&mut ended).await, current_user(&mut thief).await), (None, None));
        assert!(current_user(&mut ada).await.is_some());
    }
}

each_db! {
    async fn m02_flushing_redis_signs_no_one_out(app: TestApp) {
        let redis = Redis::start();
        let app = with_redis(&app, &redis).await;
        let (mut ada, mut thief) = (app.administrator().await, app.anonymous());
        assert!(current_user(&mut ada).await.is_some());
        redis.command(&[b"FLUSHALL"]);
        assert_eq!(redis.keys(), 0);
        assert_works(&app, &mut ada, &mut thief, RedisState::Up).await;
        assert!(redis.keys() > 0, "it has copies again");
    }
}

each_db! {
    async fn m02_a_stale_cache_entry_is_not_accepted(app: TestApp) {
        let redis = Redis::start();
        let app = with_redis(&app, &redis).await;
        let mut ada = app.administrator().await;
        let mut old = ada.clone();
        assert!(current_user(&mut old).await.is_some());
        assert_eq!(redis.keys(), 1);
        let key = redis.command(&[b"RANDOMKEY"]);
        let copy = redis.command(&[b"GET", &key]);
        assert_eq!(ada.post_form("/api/confirm_identity", &[("password", PASSWORD)]).await.status, 200);
        assert_eq!(redis.command(&[b"EXISTS", &key]), b":0\r\n", "the new id's copy is the only one");
        redis.command(&[b"SET", &key, &copy]);
        assert_eq!(current_user(&mut old).await, None, "s02: the old id of a valid sign-in");
        assert!(current_user(&mut ada).await.is_some());
        redis.command(&[b"SET", &key, b"\xffnot a record"]);
        assert_eq!(current_user(&mut old).await, None);
        assert_eq!(app.column("select record from sessions").await.len(), 1);
    }
}

each_db! {
    async fn m02_a_session_check_needs_one_redis_command(app: TestApp) {
        let redis = Redis::start();
        let app = with_redis(&app, &redis).await;
        let mut ada = app.administrator().await;
        current_user(&mut ada).await;
        redis.reset_command_counts();
        for _ in 0..20 {
            assert!(current_user(&mut ada).await.is_some());
        }
        assert_eq!(redis.command_counts().into_iter().collect::<Vec<_>>(), [("get".to_owned(), 20)]);
        redis.reset_command_counts();
        for _ in 0..20 {
            assert_eq!(app.anonymous().get("/sign-in").await.status, 200);
        }
        assert_eq!(redis.command_counts().len(), 0, "anonymous requests cost nothing");
    }
}

each_db! {
    async fn m02_the_program_starts_while_redis_is_unreachable(app: TestApp) {
        let mut redis = Redis::stopped();
        let app = with_redis(&app, &redis).await;
        let (mut ada, mut thief) = (app.administrator().await, app.anonymous());
        assert_works(&app, &mut ada, &mut thief, RedisState::Down).await;
        redis.launch(&[]);
        wait_until_used(&redis, &mut ada).await;
        assert!(current_user(&mut ada).await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m02_a_wrong_redis_url_stops_the_start() {
    let mut redis = Redis::stopped();
    redis.launch(&["--requirepass", "right"]);
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
