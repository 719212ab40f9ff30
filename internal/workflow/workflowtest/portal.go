package workflowtest

import (
	"slices"
	"time"

	"elevate/internal/pim"
)

// Ask makes a request in PIM's own portal and returns PIM's id of it.
func (d *Directory) Ask(as pim.PrincipalID, a pim.Activation) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, err := d.activate(as, a)
	return c.ID, err
}

// Review decides a request in PIM's own portal.
func (d *Directory) Review(as pim.PrincipalID, id string, approve bool, reason string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := d.decide(pim.Actor{Person: as}, pim.Ruling{ApprovalID: id, Approve: approve, Justification: reason})
	return err
}

// Expire lets the time for a decision run out: PIM's stage says so, its word of
// the request does not.
func (d *Directory) Expire(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.find(id).stage.Status = "Expired"
}

// Revoke ends an access in PIM's own portal.
func (d *Directory) Revoke(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.find(id)
	r.copy.Status, r.over = "Revoked", d.Now()
}

// Change edits PIM's copy of a request under everybody's feet. A word that is
// set so stays.
func (d *Directory) Change(id string, edit func(*pim.Copy)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.find(id)
	before := r.copy.Status
	edit(&r.copy)
	r.stopped = r.stopped || r.copy.Status != before
}

// Stand makes somebody a member of a group by something else: a standing
// assignment of that name, or, with "", a membership that PIM does not know.
func (d *Directory) Stand(m pim.Membership, by string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.standing[m] = by
}

// Fall takes back what Stand gave.
func (d *Directory) Fall(m pim.Membership) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.standing, m)
}

// Administer edits the rules of a group.
func (d *Directory) Administer(g pim.GroupID, edit func(*Group)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	group := d.groups[g]
	group.Approvers, group.Eligible = slices.Clone(group.Approvers), slices.Clone(group.Eligible)
	edit(&group)
	d.groups[g] = group
}

// Gather has these people be in a group that is behind no role.
func (d *Directory) Gather(g pim.GroupID, people ...pim.PrincipalID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.crowds[g] = people
}

// Person edits what the directory says of somebody.
func (d *Directory) Person(id pim.PrincipalID, edit func(*pim.Profile)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.people[id]
	edit(&p)
	d.people[id] = p
}

// Timing sets how long PIM takes.
func (d *Directory) Timing(provisioning, removal, lag time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Provisioning, d.Removal, d.Lag = provisioning, removal, lag
}

// Copies are all requests that PIM holds, oldest first.
func (d *Directory) Copies() []pim.Copy {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []pim.Copy
	for _, r := range d.requests {
		d.settle(r)
		all = append(all, r.copy)
	}
	return all
}

// Decisions is how many decisions PIM has taken.
func (d *Directory) Decisions() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.decided
}

// Reviewed is the stage of a request, as PIM holds it.
func (d *Directory) Reviewed(id string) pim.Stage {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.find(id).stage
}

// Holds reports whether somebody is a member of a group now.
func (d *Directory) Holds(m pim.Membership) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, stands := d.standing[m]
	return stands || slices.ContainsFunc(d.requests, func(r *record) bool {
		d.settle(r)
		return r.copy.Group == m.Group && r.copy.Principal == m.Principal && d.member(r)
	})
}
