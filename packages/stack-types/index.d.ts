// One file a module. The modules that bring their own types (b4a, compact-encoding, hyperschema) are
// not declared here: compact-encoding.d.ts only adds the names that this workspace uses for them.
/// <reference path="./emitter.d.ts" />
/// <reference path="./streamx.d.ts" />
/// <reference path="./compact-encoding.d.ts" />
/// <reference path="./sodium-universal.d.ts" />
/// <reference path="./hypercore-crypto.d.ts" />
/// <reference path="./z32.d.ts" />
/// <reference path="./rocksdb-native.d.ts" />
/// <reference path="./secret-stream.d.ts" />
/// <reference path="./protomux.d.ts" />
/// <reference path="./protomux-wakeup.d.ts" />
/// <reference path="./rache.d.ts" />
/// <reference path="./hypercore.d.ts" />
/// <reference path="./hypercore-class.d.ts" />
/// <reference path="./hypercore-storage.d.ts" />
/// <reference path="./corestore.d.ts" />
/// <reference path="./hyperbee.d.ts" />
/// <reference path="./hyperdb.d.ts" />
/// <reference path="./hyperschema.d.ts" />
/// <reference path="./hyperdht.d.ts" />
/// <reference path="./hyperdht-class.d.ts" />
/// <reference path="./hyperswarm.d.ts" />
/// <reference path="./autobase.d.ts" />
/// <reference path="./autobase-class.d.ts" />
/// <reference path="./blind-pairing.d.ts" />
/// <reference path="./keet-identity-key.d.ts" />
