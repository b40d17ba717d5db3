//! A server with several keys: who has one of them is in, and passes for nobody else.

use barewire_tests::harness::keyed::{Interceptor, Side};
use barewire_tests::harness::{Finished, KeyFile, Server};

use super::scene::{Kind, Scene};
use super::tampering::Manipulation;

/// A server with two keys, the second of which is that of the scene.
fn serve(scene: &Scene, first: &KeyFile) -> Server {
    let keys = ["--key", first.arg(), "--key", scene.key.arg()];
    Server::start(scene.launch_server().args(["--max-pause", "0"]).args(keys))
}

fn run_client(scene: &Scene, at: &str, key: &KeyFile) -> Finished {
    scene.launch_nameless(at).args(["--key", key.arg()]).run()
}

#[test]
fn each_of_them_opens_and_no_other_does() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let [anna, clara] = ["anna", "clara"].map(|name| KeyFile::new(&scene.keys, name));
        let mut server = serve(&scene, &anna);
        let client = run_client(&scene, &server.at(), &clara).exits(1);
        assert!(!scene.was_served(&client), "{client:?}");
        for key in [&scene.key, &anna] {
            let client = run_client(&scene, &server.at(), key).exits(0);
            assert!(scene.was_served(&client), "{client:?}");
            server.program.line_with(scene.shown());
            scene.forget();
        }
        server.stop();
    }
}

/// Nor does what was said under the one mean anything under the other.
#[test]
fn what_is_said_under_one_is_not_heard_under_another() {
    let scene = Scene::new(Kind::Hello);
    let anna = KeyFile::new(&scene.keys, "anna");
    let mut server = serve(&scene, &anna);
    let way = Interceptor::reading(server.address());
    run_client(&scene, &way.at(), &anna).exits(0);
    server.program.line_with(scene.shown());
    let [of_anna] = &way.recordings()[..] else { panic!("one connection") };
    for (from, number) in
        [(Side::Client, 0), (Side::Client, 2), (Side::Server, 0), (Side::Server, 1)]
    {
        let spliced = Manipulation::Splice.of(from, number, of_anna);
        let way = Interceptor::start(server.address(), spliced);
        let client = scene.run_client(&way.at());
        assert_eq!(scene.was_served(&client), from == Side::Client && number > 0, "{client:?}");
    }
    let shown = server.stop();
    assert_eq!(shown.output().matches(scene.shown()).count(), 1, "{shown:?}");
}
