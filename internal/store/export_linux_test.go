package store

// RefuseKind is the decision of RefuseNetworkDisk.
var RefuseKind = refuseKind
