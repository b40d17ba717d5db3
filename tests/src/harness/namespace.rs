//! Namespaces of a test's own (`namespaces(7)`): names that nobody else looks up, and a network that
//! nobody else uses.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::{Folder, Launch};

/// Begins as the one user of a user namespace, and has all else in it be of that one.
const HOLD: &str = r#"
mount --bind "$NAMES/hosts" /etc/hosts
mount --bind "$NAMES/resolv.conf" /etc/resolv.conf
eval "$SETUP"
echo ready
exec cat
"#;

/// A network of a loopback device. An address of [`DEAD`] is one that never answers: what goes there is
/// swallowed. [`ALIVE`] is this host.
const NETWORK: &str = "
ip link set lo up
ip address add 192.0.2.1/32 dev lo
ip route add 192.0.2.0/24 dev lo src 192.0.2.1
ip route add local 198.51.100.1 dev lo src 192.0.2.1 table local
";

/// Addresses that do not answer, in a [network](Namespace::network) (TEST-NET-1, RFC 5737).
pub const DEAD: [&str; 3] = ["192.0.2.7", "192.0.2.8", "192.0.2.9"];

/// An address of this host, in a [network](Namespace::network), that the system's order of addresses does
/// not prefer to those (TEST-NET-2).
pub const ALIVE: &str = "198.51.100.1";

/// Where programs have names, and perhaps a network, of their own. It is gone with the value, and with the
/// programs that run in it.
#[derive(Debug)]
pub struct Namespace {
    holder: Child,
    names: Folder,
    kinds: &'static str,
}

impl Namespace {
    /// Names of its own, which nobody but `hosts` (`hosts(5)`) knows; the network is everybody's.
    pub fn names(hosts: &str) -> Self {
        Self::hold("--mount", "", hosts)
    }

    /// A network of its own as well, for which the shell commands `setup` do the rest. The name server
    /// is [`DEAD`], too.
    pub fn network(setup: &str, hosts: &str) -> Self {
        Self::hold("--mount --net", &format!("{NETWORK}{setup}"), hosts)
    }

    fn hold(kinds: &'static str, setup: &str, hosts: &str) -> Self {
        let dead = DEAD[0];
        let server = if setup.is_empty() { String::new() } else { format!("nameserver {dead}\n") };
        let names = Folder::new().with("hosts", hosts).with("resolv.conf", server);
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user"])
            .args(kinds.split(' '))
            .args(["sh", "-e", "-c", HOLD])
            .env("NAMES", names.arg())
            .env("SETUP", setup)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare(1)");
        let mut line = String::new();
        let said = holder.stdout.take().expect("a pipe");
        BufReader::new(said).read_line(&mut line).expect("UTF-8");
        assert_eq!(
            line, "ready\n",
            "there is no such namespace: are they forbidden here, or has the kernel no IPv6?"
        );
        Self { holder, names, kinds }
    }

    /// Changes what the names are.
    pub fn set_hosts(&self, hosts: &str) {
        // In place: it is this file that is mounted.
        fs::write(self.names.path("hosts"), hosts).expect("a file");
    }

    /// Has the shell do `command` in there, as its root.
    #[track_caller]
    pub fn command(&self, command: &str) {
        let holder = self.holder.id().to_string();
        let mut enter = Command::new("nsenter");
        enter.args(["--target", &holder, "--user"]).args(self.kinds.split(' '));
        let status = enter.args(["--preserve-credentials", "sh", "-e", "-c", command]).status();
        assert!(status.expect("nsenter(1)").success(), "{command}");
    }

    /// The barewire program `name`, in there.
    pub fn launch(&self, name: &str) -> Launch {
        self.launch_by("", name)
    }

    /// The same, started by the command that `starter` begins: the program and its arguments follow.
    pub fn launch_by(&self, starter: &str, name: &str) -> Launch {
        let (holder, kinds) = (self.holder.id(), self.kinds);
        let enter = format!(
            "exec nsenter --target {holder} --user {kinds} --preserve-credentials {starter} \"$0\" \"$@\""
        );
        Launch::through_shell(&enter, name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Both fail only if it is already gone.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
