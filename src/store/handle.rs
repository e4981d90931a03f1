//! A store that a run of many profiles shares: one thread owns it, jobs go there one after another.

use std::path::Path;
use std::sync::mpsc;

use tokio::sync::oneshot;

use super::error::{Error, Result};
use super::{Access, Store};

type Job = Box<dyn FnOnce(&Store) + Send>;

/// A store owned by a thread of its own, so that SQLite never blocks the runtime. Cheap to clone; the thread ends with
/// the last clone.
#[derive(Clone, Debug)]
pub struct Handle {
    jobs: mpsc::Sender<Job>,
}

impl Handle {
    /// Opens the store for writing and gives it to a thread.
    pub fn open(state: &Path) -> Result<Self> {
        Self::new(Store::open(state, Access::Write)?)
    }

    /// Gives the store to a thread.
    pub fn new(store: Store) -> Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let state = store.state().to_path_buf();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                for job in queue {
                    job(&store);
                }
            })
            .map_err(|source| Error::Io { what: "start the store's thread for", path: state, source })?;
        Ok(Self { jobs })
    }

    /// Runs `job` on the store's thread and waits for what it returns. A job that was begun is ended also where the
    /// caller no longer waits.
    pub async fn run<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Store) -> Result<T> + Send + 'static,
    {
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            // Nobody waits any more where this fails.
            let _ = answer.send(job(store));
        });
        self.jobs.send(job).map_err(|_| Error::Stopped)?;
        wait.await.map_err(|_| Error::Stopped)?
    }
}
