package simentra

import (
	"container/heap"
	"slices"
	"time"

	"elevate/internal/sim/cast"
)

// Words of PIM's interface.
const (
	accessMember = "member"
	accessOwner  = "owner"

	statusPending      = "PendingApproval"
	statusGranted      = "Granted"
	statusScheduled    = "ScheduleCreated"
	statusProvisioning = "PendingProvisioning"
	statusProvisioned  = "Provisioned"
	statusDenied       = "Denied"
	statusCanceled     = "Canceled"
	statusFailed       = "Failed"
	statusRevoked      = "Revoked"

	stageInProgress = "InProgress"
	stageCompleted  = "Completed"
	stageExpired    = "Expired"
)

// approvalLife is how long a request waits for a decision; PIM does not let one change it.
const approvalLife = 24 * time.Hour

// pimState is what PIM for Groups remembers.
type pimState struct {
	requests      map[string]*request
	byGroup       map[string][]*request
	byPrincipal   map[string][]*request
	open          map[slot][]*request // neither running nor over
	stale         []*request          // still PendingApproval, but too late to decide
	assignments   map[string][]*assignment
	eligibilities map[string][]*eligibility
	onboarded     map[string]time.Time // groups under PIM
	due           dueQueue
	failNext      int
}

// A slot is what at most one activation can occupy.
type slot struct{ group, principal, access string }

// A request is an assignmentScheduleRequest, or with eligible set an eligibilityScheduleRequest.
type request struct {
	id, group, principal, access string
	action, status               string
	eligible                     bool
	justification                string
	ticketNumber, ticketSystem   any // string or nil
	customData                   any
	created, completed           time.Time
	createdBy                    string
	byApp                        bool
	window                       window
	scheduleID                   string
	stage                        *stage
}

func (r *request) slot() slot { return slot{r.group, r.principal, r.access} }

// A stage is the one stage of an approval.
type stage struct {
	status, result, justification string
	reviewer                      string
	reviewed                      time.Time
}

// An assignment is a schedule and its one instance.
type assignment struct {
	id, group, principal, access string
	kind                         string // Assigned or activated: live lists write the second in lower case
	start, end                   time.Time
	provisioned                  time.Time
	gone                         time.Time // zero while it lasts
	early                        bool      // taken away before its end: only then the lists lag
	created                      time.Time
	createdUsing                 string
}

func (a *assignment) active() bool { return a.gone.IsZero() }

func (a *assignment) isMember(now time.Time, lag time.Duration) bool {
	return !now.Before(a.provisioned.Add(lag)) && (a.active() || now.Before(a.gone.Add(lag)))
}

// listed says whether lists show the instance: late at the beginning and after a revocation, at once at the planned end.
func (a *assignment) listed(now time.Time, lag time.Duration) bool {
	if now.Before(a.provisioned.Add(lag)) {
		return false
	}
	return a.active() || (a.early && now.Before(a.gone.Add(lag)))
}

// An eligibility lets a principal, or the members of a principal that is a group, activate.
type eligibility struct {
	id, group, principal, access string
	start, end                   time.Time
	createdUsing                 string
	removed                      bool
}

func (e *eligibility) holds(now time.Time) bool {
	return !e.removed && !now.Before(e.start) && (e.end.IsZero() || now.Before(e.end))
}

func newPIMState() pimState {
	return pimState{
		requests: map[string]*request{}, byGroup: map[string][]*request{}, byPrincipal: map[string][]*request{},
		open: map[slot][]*request{}, assignments: map[string][]*assignment{}, eligibilities: map[string][]*eligibility{},
		onboarded: map[string]time.Time{},
	}
}

func (s *Server) loadEligibilities(c *cast.Cast) {
	start := s.clock.Now().Add(-30 * 24 * time.Hour)
	for _, e := range c.Eligibilities {
		groupID, _ := c.Principal(e.Group)
		principal, _ := c.Principal(e.Principal)
		s.pim.onboarded[groupID] = start
		s.pim.eligibilities[groupID] = append(s.pim.eligibilities[groupID], &eligibility{
			id: groupID + "_member_" + e.ID, group: groupID, principal: principal, access: accessMember, start: start, createdUsing: e.ID,
		})
	}
}

// eligibilityOf returns by what somebody is eligible, directly or through a group.
func (s *Server) eligibilityOf(group, principal, access string, now time.Time) *eligibility {
	for _, e := range s.pim.eligibilities[group] {
		if e.access == access && e.holds(now) && s.covers(e, principal, now) {
			return e
		}
	}
	return nil
}

func (s *Server) covers(e *eligibility, principal string, now time.Time) bool {
	if e.principal == principal {
		return true
	}
	through := s.dir.group(e.principal)
	return through != nil && s.isMember(through, principal, now)
}

// running returns the assignment of a kind that occupies the slot; kind "" means any.
func (s *Server) running(at slot, kind string) *assignment {
	for _, a := range s.pim.assignments[at.group] {
		if a.principal == at.principal && a.access == at.access && a.active() && (kind == "" || a.kind == kind) {
			return a
		}
	}
	return nil
}

func (s *Server) keep(r *request) {
	s.pim.requests[r.id] = r
	s.pim.byGroup[r.group] = append(s.pim.byGroup[r.group], r)
	s.pim.byPrincipal[r.principal] = append(s.pim.byPrincipal[r.principal], r)
}

func (s *Server) reopen(r *request) { s.pim.open[r.slot()] = append(s.pim.open[r.slot()], r) }

func (s *Server) closeRequest(r *request) {
	left := slices.DeleteFunc(s.pim.open[r.slot()], func(o *request) bool { return o == r })
	if len(left) == 0 {
		delete(s.pim.open, r.slot())
		return
	}
	s.pim.open[r.slot()] = left
}

// A deed is something PIM does by itself at its time.
type deed struct {
	at    time.Time
	order int
	do    func(at time.Time)
}

type dueQueue struct {
	deeds []deed
	count int
}

func (q *dueQueue) Len() int      { return len(q.deeds) }
func (q *dueQueue) Swap(i, j int) { q.deeds[i], q.deeds[j] = q.deeds[j], q.deeds[i] }
func (q *dueQueue) Push(x any)    { q.deeds = append(q.deeds, x.(deed)) }
func (q *dueQueue) Less(i, j int) bool {
	if q.deeds[i].at.Equal(q.deeds[j].at) {
		return q.deeds[i].order < q.deeds[j].order
	}
	return q.deeds[i].at.Before(q.deeds[j].at)
}

func (q *dueQueue) Pop() any {
	last := q.deeds[len(q.deeds)-1]
	q.deeds = q.deeds[:len(q.deeds)-1]
	return last
}

func (s *Server) at(t time.Time, do func(at time.Time)) {
	s.pim.due.count++
	heap.Push(&s.pim.due, deed{t, s.pim.due.count, do})
}

// settle lets happen, in order, what was due until now.
func (s *Server) settle(now time.Time) {
	for len(s.pim.due.deeds) > 0 && !s.pim.due.deeds[0].at.After(now) {
		next := heap.Pop(&s.pim.due).(deed)
		next.do(next.at)
	}
}
