//! An object store, S3 or one that speaks like it.
//!
//! What a folder does with renames and a lock, S3 does with conditions on a PUT: `If-None-Match: *` for what must not be
//! there, `If-Match` with the ETag that was read for the timestamp. A store that ignores them would break the
//! promises of [`super::store`]; it is refused at the first publication by trying ([`Store::create`] of the same name
//! with other content must not succeed, which every publication relies on).
//!
//! Credentials and region come from the `AWS_…` variables, as every AWS tool has them (`AWS_ENDPOINT_URL` for another
//! server, `AWS_ALLOW_HTTP=true` for one without TLS), and go to that server alone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::client::{ClientOptions, HttpClient, HttpConnector};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, UpdateVersion};
use tokio::runtime::Runtime;
use url::Url;

use super::store::{Item, Store, StoreError, Tag, check_name};
use crate::fetch::Network;

/// How many requests are under way at once.
const JOBS: usize = 32;
/// How long one request may take: a zip has up to 500 MiB.
const TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// An object store.
pub struct Bucket {
    inner: Arc<dyn ObjectStore>,
    /// What every name begins with; empty, or ends in `/`.
    prefix: String,
    runtime: Runtime,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Bucket").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Our own HTTP client, with the roots and proxies of everything else.
#[derive(Clone)]
struct Connector(reqwest::Client);

impl fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

impl Bucket {
    /// The one at `s3://BUCKET[/PREFIX]`.
    ///
    /// # Errors
    /// [`StoreError::Url`], [`StoreError::Remote`].
    pub fn s3(url: &str, network: &Network) -> Result<Self, StoreError> {
        let wrong = || StoreError::Url(url.to_owned());
        let parsed = Url::parse(url).map_err(|_| wrong())?;
        let bucket = parsed.host_str().filter(|_| parsed.scheme() == "s3").ok_or_else(wrong)?;
        if parsed.query().is_some() || parsed.fragment().is_some() || !parsed.username().is_empty() {
            return Err(wrong());
        }
        let failed = |text: String| StoreError::Remote { name: url.to_owned(), text };
        let client = network.upload_client(TIMEOUT).map_err(|error| failed(error.to_string()))?;
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_http_connector(Connector(client))
            .build()
            .map_err(|error| failed(error.to_string()))?;
        Self::new(Arc::new(store), parsed.path().trim_matches('/'))
    }

    /// Any store of the library; `prefix` without slashes at its ends.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn new(inner: Arc<dyn ObjectStore>, prefix: &str) -> Result<Self, StoreError> {
        let prefix = match prefix {
            "" => String::new(),
            prefix => {
                check_name(prefix)?;
                format!("{prefix}/")
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|source| StoreError::Io { action: "start", path: "the network".into(), source })?;
        Ok(Self { inner, prefix, runtime })
    }

    fn path(&self, name: &str) -> Result<Path, StoreError> {
        check_name(name)?;
        // As it is: `parse` encodes nothing.
        Path::parse(format!("{}{name}", self.prefix)).map_err(|_| StoreError::Name(name.to_owned()))
    }

    async fn get(&self, name: &str, max: u64) -> Result<Option<(Vec<u8>, Tag)>, StoreError> {
        let found = match self.inner.get(&self.path(name)?).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(remote(name, &error)),
        };
        let too_large = || StoreError::TooLarge { name: name.to_owned(), limit: max };
        if found.meta.size > max {
            return Err(too_large());
        }
        let tag = found.meta.e_tag.clone().ok_or_else(|| StoreError::Remote {
            name: name.to_owned(),
            text: "the store gives no ETag, without which two publishers could not see each other".to_owned(),
        })?;
        let mut bytes = Vec::new();
        let mut parts = found.into_stream();
        while let Some(part) = parts.try_next().await.map_err(|error| remote(name, &error))? {
            if (bytes.len() + part.len()) as u64 > max {
                return Err(too_large());
            }
            bytes.extend_from_slice(&part);
        }
        Ok(Some((bytes, Tag(tag))))
    }

    /// Whether it was written.
    async fn write(&self, name: &str, bytes: Vec<u8>, mode: PutMode) -> Result<bool, StoreError> {
        let options = PutOptions { mode, ..PutOptions::default() };
        match self.inner.put_opts(&self.path(name)?, Bytes::from(bytes).into(), options).await {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(remote(name, &error)),
        }
    }

    fn load(item: &Item) -> Result<Vec<u8>, StoreError> {
        let failed = |source| StoreError::Io { action: "read the copy of", path: item.name.clone().into(), source };
        item.content.load().map_err(failed)
    }
}

fn remote(name: &str, error: &Error) -> StoreError {
    StoreError::Remote { name: name.to_owned(), text: error.to_string() }
}

impl Store for Bucket {
    fn read(&self, name: &str, max: u64) -> Result<Option<(Vec<u8>, Tag)>, StoreError> {
        self.runtime.block_on(self.get(name, max))
    }

    fn exists(&self, name: &str) -> Result<bool, StoreError> {
        let path = self.path(name)?;
        match self.runtime.block_on(self.inner.head(&path)) {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(remote(name, &error)),
        }
    }

    fn read_all(&self, names: &[String], max: u64) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.runtime.block_on(async {
            let each = names.iter().map(|name| async move { Ok(self.get(name, max).await?.map(|(bytes, _)| bytes)) });
            stream::iter(each).buffered(JOBS).try_collect().await
        })
    }

    fn create(&self, items: &[Item]) -> Result<Vec<usize>, StoreError> {
        let one = |(index, item)| async move {
            let item: &Item = item;
            let bytes = Self::load(item)?;
            if self.write(&item.name, bytes.clone(), PutMode::Create).await? {
                return Ok(None);
            }
            let there = self.get(&item.name, bytes.len() as u64).await;
            let same = match there {
                Ok(there) => there.is_some_and(|(there, _)| there == bytes),
                Err(StoreError::TooLarge { .. }) => false,
                Err(error) => return Err(error),
            };
            Ok((!same).then_some(index))
        };
        self.runtime.block_on(async {
            let taken: Vec<Option<usize>> =
                stream::iter(items.iter().enumerate().map(one)).buffered(JOBS).try_collect().await?;
            Ok(taken.into_iter().flatten().collect())
        })
    }

    fn put(&self, items: &[Item]) -> Result<(), StoreError> {
        let one = |item| async move {
            let item: &Item = item;
            self.write(&item.name, Self::load(item)?, PutMode::Overwrite).await.map(|_| ())
        };
        self.runtime.block_on(stream::iter(items.iter().map(one)).buffer_unordered(JOBS).try_collect())
    }

    fn swap(&self, name: &str, bytes: &[u8], expected: Option<&Tag>) -> Result<bool, StoreError> {
        let mode = match expected {
            None => PutMode::Create,
            Some(Tag(tag)) => PutMode::Update(UpdateVersion { e_tag: Some(tag.clone()), version: None }),
        };
        self.runtime.block_on(self.write(name, bytes.to_vec(), mode))
    }

    fn remove(&self, names: &[String]) -> Result<(), StoreError> {
        self.runtime.block_on(async {
            for name in names {
                match self.inner.delete(&self.path(name)?).await {
                    Ok(()) | Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(remote(name, &error)),
                }
            }
            Ok(())
        })
    }

    /// A PUT that was answered is durable.
    fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::super::store::Content;
    use super::*;

    fn item(name: &str, text: &str) -> Item {
        Item { name: name.to_owned(), content: Content::Bytes(text.as_bytes().to_vec()) }
    }

    #[test]
    fn behaves_as_a_folder_does() {
        let store = Bucket::new(Arc::new(InMemory::new()), "a/b").unwrap();
        let text = |name: &str| store.read(name, 100).unwrap().map(|(bytes, _)| String::from_utf8(bytes).unwrap());
        let none: Vec<usize> = Vec::new();
        assert_eq!(store.create(&[item("tuf/1.a.json", "a"), item("m/~x/@v/1", "b")]).unwrap(), none);
        let again = store.create(&[item("tuf/1.a.json", "a"), item("m/~x/@v/1", "longer"), item("c", "c")]).unwrap();
        assert_eq!(again, [1]);
        assert_eq!(text("m/~x/@v/1").unwrap(), "b");
        store.put(&[item("m/~x/@v/1", "other")]).unwrap();
        assert_eq!(text("m/~x/@v/1").unwrap(), "other");
        assert_eq!(store.read_all(&["c".to_owned(), "d".to_owned()], 9).unwrap(), [Some(b"c".to_vec()), None]);
        assert!(store.exists("c").unwrap() && !store.exists("d").unwrap());
        assert!(matches!(store.read("m/~x/@v/1", 4), Err(StoreError::TooLarge { limit: 4, .. })));
        for name in ["", "..", "a/../b", "/a"] {
            assert!(matches!(store.read(name, 9), Err(StoreError::Name(_))), "{name}");
        }

        assert!(store.swap("t", b"1", None).unwrap());
        assert!(!store.swap("t", b"2", None).unwrap());
        let (_, first) = store.read("t", 10).unwrap().unwrap();
        assert!(store.swap("t", b"2", Some(&first)).unwrap());
        assert!(!store.swap("t", b"3", Some(&first)).unwrap());
        assert_eq!(text("t").unwrap(), "2");
        store.remove(&["t".to_owned(), "t".to_owned()]).unwrap();
        assert_eq!(text("t"), None);
    }

    #[test]
    fn what_is_no_bucket() {
        for url in ["s3://", "s3:///x", "http://x/y", "s3://b/x?y", "s3://key@b/x", "b"] {
            assert!(matches!(Bucket::s3(url, &Network::default()), Err(StoreError::Url(_))), "{url}");
        }
    }
}
