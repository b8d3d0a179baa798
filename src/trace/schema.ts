/** The shape of a trace file. `netvsim trace --schema` prints it, so that any protobuf tool can read one. */
export const TRACE_SCHEMA = `syntax = "proto3";

// What happened in one run of netvsim. Texts stand once, in "texts"; the numbers of context, kind, key and text are
// places in that list.
message Trace {
  string magic = 1;            // "netvsim trace", always the first bytes of the file
  uint32 version = 2;          // of this format
  Header header = 3;
  repeated string texts = 4;
  repeated Event events = 5;
  optional uint32 event_count = 6; // written last: a file without it was cut off
}

message Header {
  string scenario = 1;
  string guest = 2;
  string transport = 3;
  string schedule = 4;         // empty: the default order
  string netvsim = 5;          // version of the program
}

message Event {
  uint64 time = 1;             // nanoseconds of virtual time
  uint32 step = 2;
  uint32 context = 3;
  uint32 kind = 4;
  repeated Field fields = 5;
}

message Field {
  uint32 key = 1;
  oneof value {
    uint32 text = 2;
    sint64 int = 3;
    bool bool = 4;
    double double = 5;
  }
}
`;
