//! What a process may do because of who it is.

use core::error::Error;
use core::fmt;
use std::ffi::CString;
use std::io;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::unistd::{
    self, Gid, Uid, geteuid, getresgid, getresuid, initgroups, setgroups, setresgid, setresuid,
    setuid,
};

use crate::sys;

/// A user of the system whom a process can become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    name: Option<CString>,
    id: Uid,
    group: Gid,
}

/// Which rights of root are kept: [over files](Self::Files), whoever owns them and whatever their permissions say,
/// those on contents and folders, and those on what else there is to a file; or others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// None of them.
    Nothing,
    /// `CAP_DAC_OVERRIDE`, `CAP_DAC_READ_SEARCH` and `CAP_FOWNER` (`capabilities(7)`).
    Files,
    /// `CAP_NET_BIND_SERVICE`: that to bind a port below 1024.
    Ports,
}

/// Privileges were given up, and are there still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StillPrivileged;

impl User {
    /// The user of that name, or that number. Of a number that no user has, the group is that of the same
    /// number.
    ///
    /// # Errors
    /// Those of `getpwnam_r(3)`; [`NotFound`](io::ErrorKind::NotFound) if there is no user of that name.
    pub fn find(name: &str) -> io::Result<Self> {
        if let Some(unistd::User { name, uid, gid, .. }) = unistd::User::from_name(name)? {
            return Ok(Self { name: CString::new(name).ok(), id: uid, group: gid });
        }
        // `u32::from_str` would take a sign. The highest stands for no user (`setresuid(2)`).
        let digits = Some(name).filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse().ok()).filter(|id| *id < u32::MAX);
        let id = Uid::from_raw(number.ok_or(io::ErrorKind::NotFound)?);
        Ok(match unistd::User::from_uid(id)? {
            Some(unistd::User { name, gid, .. }) => {
                Self { name: CString::new(name).ok(), id, group: gid }
            }
            None => Self { name: None, id, group: Gid::from_raw(id.as_raw()) },
        })
    }

    /// Has the whole process become this user, with the user's groups and no others, for good. All privileges
    /// of the user before are gone then, which is looked at.
    ///
    /// # Errors
    /// Those of `setgroups(2)`, `setresgid(2)` and `setresuid(2)`: `EPERM` for who is not root, and is not
    /// this user either. [`StillPrivileged`] as the error's reason: the process could go back, and is not to go
    /// on.
    pub fn become_it(&self) -> io::Result<()> {
        let Self { name, id, group } = self;
        let set = match name {
            Some(name) => initgroups(name, *group),
            None => setgroups(&[*group]),
        };
        match set {
            // Who is this user already needs no privilege, and has no other's groups to give up.
            Err(Errno::EPERM) if self.is_current()? => return Ok(()),
            set => set?,
        }
        setresgid(*group, *group, *group)?;
        setresuid(*id, *id, *id)?;
        let is_back = !id.is_root() && setuid(Uid::from_raw(0)).is_ok();
        if is_back || !self.is_current()? || !id.is_root() && !sys::capabilities()?.is_empty() {
            return Err(io::Error::other(StillPrivileged));
        }
        Ok(())
    }

    fn is_current(&self) -> io::Result<bool> {
        let (user, group) = (getresuid()?, getresgid()?);
        let has_user = [user.real, user.effective, user.saved].iter().all(|id| *id == self.id);
        Ok(has_user
            && [group.real, group.effective, group.saved].iter().all(|id| *id == self.group))
    }
}

/// Whether the process is root's.
pub fn is_root() -> bool {
    geteuid().is_root()
}

/// Has the calling thread, and those that it starts from then on, give up all capabilities but those to
/// [`Keep`] (`capabilities(7)`): root without them is still the owner of root's files.
///
/// # Errors
/// Those of `capset(2)`.
pub fn drop_capabilities(keep: Keep) -> io::Result<()> {
    let kept = match keep {
        Keep::Nothing => sys::Capabilities::empty(),
        Keep::Files => {
            sys::Capabilities::DAC_OVERRIDE
                | sys::Capabilities::DAC_READ_SEARCH
                | sys::Capabilities::FOWNER
        }
        Keep::Ports => sys::Capabilities::NET_BIND_SERVICE,
    };
    sys::keep_capabilities(kept)
}

/// Has no program that this process starts gain privileges by its set-user-ID bit or its capabilities
/// (`PR_SET_NO_NEW_PRIVS`, `prctl(2)`), for good.
///
/// # Errors
/// Those of `prctl(2)`: the kernel is older than Linux 3.5.
pub fn no_new_privileges() -> io::Result<()> {
    Ok(prctl::set_no_new_privs()?)
}

impl fmt::Display for StillPrivileged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the privileges given up are there still")
    }
}

impl Error for StillPrivileged {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name_or_a_number() {
        let root = User::find("root").unwrap();
        assert_eq!((root.id, root.group), (Uid::from_raw(0), Gid::from_raw(0)));
        assert_eq!(User::find("0").unwrap(), root);
        let nobody_has_it = User::find("4294967290").unwrap();
        assert_eq!(nobody_has_it.group, Gid::from_raw(4_294_967_290));
        for name in ["", "no-such-user", "-1", "+1", "4294967295", "4294967296", "0x0", "a\0b"] {
            let error = User::find(name).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{name:?}");
        }
    }

    /// Whoever runs this is one already; and who is not root becomes nobody else.
    #[test]
    fn who_is_that_user_already_needs_no_privilege() {
        if is_root() {
            return assert!(User::find("0").unwrap().is_current().unwrap());
        }
        let (id, group) = (getresuid().unwrap().real, getresgid().unwrap().real);
        let name = None;
        User { name: name.clone(), id, group }.become_it().unwrap();
        let another = User { name, id: Uid::from_raw(id.as_raw() + 1), group };
        let error = another.become_it().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::EPERM as i32));
    }
}
