//! Decides what becomes of each call.

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::Pid;

use super::call::{Call, Object};
use super::notices::{Answer, Notice, Notices};
use super::order::{Fault, Inner, Order, Tally};
use super::own_filter::OwnFilter;
use super::target::{Target, leave_descriptors, out_of_the_way};
use super::transfer::{self, number};
use super::{edges, filter};

/// Answers for as long as the process, or a child of it, can ask.
pub(super) fn supervise(process: Pid, injector: &Inner) {
    leave_descriptors().expect("a table of descriptors");
    let target = Target::open(process).expect("the process is a child");
    let listener = target.descriptor(filter::LISTENER).unwrap_or_else(|errno| {
        panic!("this system does not let a test take part in its own child (ptrace(2)): {errno}")
    });
    let notices = Notices::new(out_of_the_way(listener).expect("room"));
    let mut begun = false;
    while let Some(notice) = notices.next() {
        let marks = notice.number == Call::SIGALTSTACK.number();
        // A first call may only ask for the stack there is.
        begun |= marks && notice.arguments[0] != 0;
        let tally = &mut injector.state().tally;
        let answer = match &injector.order {
            Some(order) if begun => {
                let call = order.calls.iter().find(|call| call.number() == notice.number);
                call.map_or(Answer::GoesThrough, |call| {
                    answer(&target, *call, order, tally, notice.arguments)
                })
            }
            None if begun => {
                tally.made.insert(notice.number);
                count(&target, tally, &notice)
            }
            _ => Answer::GoesThrough,
        };
        notices.answer(&notice, answer);
    }
    assert!(begun, "the program never came to its main");
}

/// Counts a call that the process has itself forbidden. Its filters are not installed: it is asked about all
/// calls only as long as none of them is refused before.
fn count(target: &Target, tally: &mut Tally, notice: &Notice) -> Answer {
    if let Some(own) = OwnFilter::installed_by(notice, target) {
        tally.own.push(own);
        return Answer::Gives(0);
    }
    let Notice { number, architecture, arguments, .. } = *notice;
    tally.architecture = architecture;
    if tally.own.iter().any(|own| !own.allows(number, architecture, arguments)) {
        tally.refused.insert(notice.number);
    }
    Answer::GoesThrough
}

fn answer(
    target: &Target,
    call: Call,
    order: &Order,
    tally: &mut Tally,
    arguments: [u64; 6],
) -> Answer {
    // A thread of a process that has been killed may get its answer before its end: what could not be judged
    // any more would go through.
    let Ok(object) = object(target, call, arguments) else { return Answer::Never };
    let Some(fault) = order.judge(&object, tally) else { return Answer::GoesThrough };
    match fault {
        Fault::Zero => Answer::Gives(0),
        Fault::Hangs => Answer::Never,
        Fault::Reset => {
            transfer::reset(target, arguments).expect("it is about a connection");
            Answer::GoesThrough
        }
        Fault::Fails(Errno::EINTR) if call == Call::CONNECT => transfer::connect(target, arguments)
            .map_or_else(Answer::Fails, |()| Answer::Fails(Errno::EINTR)),
        Fault::Fails(errno) => {
            if errno == Errno::EAGAIN {
                again(target, call, arguments);
            }
            Answer::Fails(errno)
        }
        Fault::Short => match transfer::partly(target, call, arguments) {
            Ok(count) => {
                again(target, call, arguments);
                Answer::Gives(count)
            }
            Err(errno) => Answer::Fails(errno),
        },
    }
}

/// The descriptor that the call is about has more to give, or to take.
fn again(target: &Target, call: Call, arguments: [u64; 6]) {
    if let Object::Descriptor(at) = call.object {
        let number = number(arguments[at]);
        edges::report_again(target, number).expect("a watch can be renewed");
    }
}

/// What the call is about.
fn object(target: &Target, call: Call, arguments: [u64; 6]) -> nix::Result<String> {
    Ok(match call.object {
        Object::Nothing => String::new(),
        Object::Length(at) => format!("{} bytes", arguments[at]),
        Object::Descriptor(at) => {
            let number = number(arguments[at]);
            format!("fd {number} {}", target.describe(number))
        }
        Object::Path(at) => {
            let path = target.path(arguments[at])?;
            if path.is_empty() { target.describe(number(arguments[0])) } else { path }
        }
        Object::Opened => {
            let flags = OFlag::from_bits_retain(number(arguments[2]));
            let suffix = if flags.contains(OFlag::O_TMPFILE) { "/#" } else { "" };
            target.path(arguments[1])? + suffix
        }
    })
}
