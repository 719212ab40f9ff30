package card

import (
	"slices"

	"elevate/internal/pim"
)

// buttons are what this viewer can do now. A card that will still change has at
// least one: if Elevate lost sight of the message, a click brings it back.
func (d drawing) buttons() []Button {
	can := slices.Concat(d.able(), d.reviewing())
	if len(can) > 0 || !d.r.State.Open() {
		return can
	}
	return []Button{{Label: "Refresh", Act: Refresh, Request: d.r.ID, Digest: d.r.Digest()}}
}

// able are the steps this viewer can take. A claim leaves none: somebody's
// decision is on its way to PIM.
func (d drawing) able() []Button {
	switch {
	case d.claim != nil:
		return nil
	case d.v.Viewer == Approvers:
		return d.deciding()
	case d.v.Viewer == Requester:
		return append(d.undoing(), d.mending()...)
	}
	return nil
}

func (d drawing) deciding() []Button {
	if d.r.State != pim.Pending || d.r.Decided != nil {
		return nil
	}
	return []Button{
		approveButton(d.r, "Approve", d.title, d.name, d.shown),
		{Label: "Approve with reason…", Act: ApproveWithReason, Request: d.r.ID, Digest: d.r.Digest()},
		{Label: "Deny…", Act: Deny, Style: Danger, Request: d.r.ID, Digest: d.r.Digest()},
	}
}

func approveButton(r *pim.Request, label, title, name string, facts shown) Button {
	return Button{
		Label: label, Act: Approve, Style: Primary, Request: r.ID, Digest: r.Digest(),
		Confirm: &Confirm{
			Title: "Approve this request?",
			Text:  name + " gets " + title + " " + facts.phrase() + ".",
			Yes:   "Approve", No: "Back",
		},
	}
}

func (d drawing) undoing() []Button {
	switch {
	case d.r.State == pim.Pending && d.r.Decided == nil, d.r.State == pim.Scheduled, d.r.Waits():
		return []Button{cancelButton(d.r, "Cancel")}
	case d.stays():
		return []Button{releaseButton(d.r, "Release", d.title)}
	}
	return nil
}

func cancelButton(r *pim.Request, label string) Button {
	return Button{Label: label, Act: Cancel, Request: r.ID, Digest: r.Digest()}
}

func releaseButton(r *pim.Request, label, title string) Button {
	return Button{
		Label: label, Act: Release, Request: r.ID, Digest: r.Digest(),
		Confirm: &Confirm{Title: "Release it now?", Text: "You lose " + title + " before its time.", Yes: "Release", No: "Keep it"},
	}
}
