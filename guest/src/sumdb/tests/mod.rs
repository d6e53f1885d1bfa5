mod cosignature;
mod evidence;
mod kept;
mod lookup;
mod note;
mod setting;
mod tile;
mod tlog;
