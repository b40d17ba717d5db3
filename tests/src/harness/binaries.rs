//! Where the programs under test are.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The names of all programs.
pub const PROGRAMS: [&str; 8] = [
    "udp-server",
    "udp-client",
    "tcp-server",
    "tcp-client",
    "file-server",
    "file-client",
    "chat-server",
    "chat-client",
];

/// Names a folder of ready-made programs to test instead of building them: an installed package,
/// say.
pub const FOLDER_VARIABLE: &str = "BAREWIRE_BIN_DIR";

/// The path of the barewire program `name`.
///
/// The first call in a process builds the workspace's programs, with the profile and in the
/// target folder of the running test: Cargo offers a test the programs of its own package only
/// (`CARGO_BIN_EXE_*`), and a program that an earlier build left behind would be tested in place
/// of the source.
pub fn path_of(name: &str) -> PathBuf {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| match env::var_os(FOLDER_VARIABLE) {
        Some(folder) => Ok(folder.into()),
        None => build(),
    });
    let folder = folder.as_ref().unwrap_or_else(|why| panic!("{why}"));
    let path = folder.join(name);
    assert!(path.is_file(), "there is no program {}", path.display());
    path
}

fn build() -> Result<PathBuf, String> {
    let test = env::current_exe().map_err(|e| format!("cannot find the running test: {e}"))?;
    let layout = Layout::of(&test, |folder| folder.join("CACHEDIR.TAG").is_file())
        .ok_or_else(|| format!("{} is not in a Cargo target folder", test.display()))?;
    let output = Command::new(env!("CARGO"))
        .args(layout.build_arguments())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("cannot run {}: {e}", env!("CARGO")))?;
    if output.status.success() {
        Ok(layout.programs)
    } else {
        let why = String::from_utf8_lossy(&output.stderr);
        Err(format!("the programs do not build:\n{why}"))
    }
}

/// What the path of a test executable says of the build it came from. Cargo lays it out as
/// `TARGET_FOLDER/[TRIPLE/]PROFILE/deps/EXECUTABLE`.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    profile: OsString,
    triple: Option<OsString>,
    target_folder: PathBuf,
    programs: PathBuf,
}

impl Layout {
    /// `is_target_folder` tells a target folder from the folder of a triple inside it.
    fn of(executable: &Path, is_target_folder: impl Fn(&Path) -> bool) -> Option<Self> {
        let programs = executable.parent()?.parent()?;
        let profile = match programs.file_name()?.to_str()? {
            // The one profile whose folder has another name.
            "debug" => "dev".into(),
            other => other.into(),
        };
        let above = programs.parent()?;
        let (triple, target_folder) = if is_target_folder(above) {
            (None, above)
        } else {
            (Some(above.file_name()?.to_owned()), above.parent()?)
        };
        Some(Self {
            profile,
            triple,
            target_folder: target_folder.to_owned(),
            programs: programs.to_owned(),
        })
    }

    fn build_arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> =
            ["build", "--quiet", "--workspace", "--bins", "--profile"].map(Into::into).into();
        arguments.push(self.profile.clone());
        arguments.push("--target-dir".into());
        arguments.push(self.target_folder.clone().into());
        if let Some(triple) = &self.triple {
            arguments.push("--target".into());
            arguments.push(triple.clone());
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;
    use std::path::Path;

    #[test]
    fn a_test_executable_tells_its_profile_and_target_folder() {
        let layout = Layout::of(Path::new("/t/debug/deps/e2e-0123"), |f| f == Path::new("/t"));
        assert_eq!(
            layout,
            Some(Layout {
                profile: "dev".into(),
                triple: None,
                target_folder: "/t".into(),
                programs: "/t/debug".into(),
            })
        );
    }

    #[test]
    fn a_build_for_a_named_target_keeps_its_triple() {
        let path = Path::new("/t/aarch64-unknown-linux-musl/release/deps/e2e-0123");
        let layout = Layout::of(path, |f| f == Path::new("/t")).unwrap();
        assert_eq!(layout.programs, Path::new("/t/aarch64-unknown-linux-musl/release"));
        assert_eq!(
            layout.build_arguments().join(" ".as_ref()),
            "build --quiet --workspace --bins --profile release --target-dir /t \
             --target aarch64-unknown-linux-musl"
        );
    }
}
