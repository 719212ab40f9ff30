package simentra

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simclock"
)

// Config is what a Server is made of. All fields but Behavior are required.
type Config struct {
	Clock      *simclock.Clock
	MachineNow func() time.Time
	Cast       *cast.Cast
	LoginURL   string // https://host:port of LoginHandler, without a slash at the end
	GraphURL   string // https://host:port of GraphHandler, without a slash and without /v1.0
	Behavior   Behavior
}

// Behavior is what differs between tenants and from day to day. Its zero value is a service without any delay.
type Behavior struct {
	PageSize          int           // longest page of a list; 0 means 3
	ProvisioningDelay time.Duration // from the beginning of an assignment to Provisioned
	ListLag           time.Duration // how long instance lists show what was before
	MemberLag         time.Duration // the same for group members
	AuditDelay        time.Duration // until an audit row can be read
	AuditLimit        int           // calls to directoryAudits per ten seconds of the machine; 0: no limit
	TimeoutStatus     string        // status of a request after 24 h without decision; "" leaves PendingApproval
	RevokeMarks       bool          // a deactivation also sets the activation's own status to Revoked
	WrapErrors        bool          // PIM's rule errors come in the wrapped envelope
	PolicyNeedsRole   bool          // policies want RoleManagement.Read.All instead of RoleManagementPolicy.Read.AzureADGroup
	NoMFA             bool          // plain sign-ins prove a password only
	AccessTokenLife   time.Duration // 0 means 75 minutes
	CodeLife          time.Duration // 0 means ten minutes
	NewGroupLag       time.Duration // how long PIM has not heard of a new group
	OnboardingLag     time.Duration // how long a group's policies cannot be read, or not wholly, after PIM took the group
	PatchAnswers200   bool          // a change of a rule is answered with the rule instead of 204
	WriteLimit        int           // changes per ten seconds of the machine; 0: no limit
	RoleAssignable    int           // how many other role-assignable groups the tenant has already
}

// DefaultBehavior is a tenant on an ordinary day.
func DefaultBehavior() Behavior {
	return Behavior{
		PageSize: 3, ProvisioningDelay: 4 * time.Second, ListLag: 5 * time.Second, MemberLag: 3 * time.Second,
		AuditDelay: 3 * time.Minute, AuditLimit: 5, NewGroupLag: 40 * time.Second, OnboardingLag: 20 * time.Second,
	}
}

// A Server is one tenant.
type Server struct {
	clock    *simclock.Clock
	machine  func() time.Time
	tenantID string
	domain   string
	other    string
	loginURL string
	graphURL string

	mu       sync.Mutex
	behavior Behavior
	keys     *keyring
	login    loginState
	dir      directory
	apps     map[string]*app
	policies map[string]*policy // by id
	ruled    map[string]*policy // by group and access
	pim      pimState
	defender []defenderAssignment
	audits   []*auditRow

	defenderRoles []cast.DefenderRole
	auditHit      []time.Time // machine times of reads of the audit log
	writes        []time.Time // and of changes
	faults        []*Fault
	counts        map[string]int
	trips         []Trip
}

// New returns a tenant with the given cast.
func New(cfg Config) (*Server, error) {
	keys, err := newKeyring()
	if err != nil {
		return nil, fmt.Errorf("making the signing key: %w", err)
	}
	s := &Server{
		clock: cfg.Clock, machine: cfg.MachineNow,
		tenantID: cfg.Cast.TenantID, domain: cfg.Cast.Domain, other: cfg.Cast.OtherTenantID,
		loginURL: strings.TrimRight(cfg.LoginURL, "/"), graphURL: strings.TrimRight(cfg.GraphURL, "/"),
		behavior: cfg.Behavior, keys: keys,
		login: newLoginState(), dir: newDirectory(cfg.Cast), apps: map[string]*app{}, policies: map[string]*policy{}, ruled: map[string]*policy{},
		pim: newPIMState(), counts: map[string]int{},
	}
	s.loadApps(cfg.Cast)
	s.loadPolicies(cfg.Cast)
	s.loadEligibilities(cfg.Cast)
	s.loadDefender(cfg.Cast)
	return s, nil
}

// SetBehavior changes what differs from day to day.
func (s *Server) SetBehavior(change func(*Behavior)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.behavior)
}

// Issuer returns what stands in the iss claim of the tenant's tokens.
func (s *Server) Issuer() string { return s.loginURL + "/" + s.tenantID + "/v2.0" }

// lock takes the mutex, lets happen what is due, and returns the time on the movable clock.
func (s *Server) lock() time.Time {
	s.mu.Lock()
	now := s.clock.Now()
	s.settle(now)
	return now
}

// random returns n random bytes in hexadecimal.
func random(n int) string {
	raw := make([]byte, n)
	rand.Read(raw) // never fails, as its documentation promises
	return hex.EncodeToString(raw)
}

func newGUID() string {
	h := random(16)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32]
}
