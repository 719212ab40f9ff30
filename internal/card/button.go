package card

import "elevate/internal/pim"

// buttons are what this viewer can do now. A claim leaves none: somebody's
// decision is on its way to PIM.
func (d drawing) buttons() []Button {
	if d.claim != nil {
		return nil
	}
	switch d.v.Viewer {
	case Approvers:
		return d.deciding()
	case Requester:
		return d.undoing()
	case OnCall:
		return nil
	}
	return nil
}

func (d drawing) deciding() []Button {
	if d.r.State != pim.Pending {
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
	case d.r.State == pim.Pending || d.r.State == pim.Scheduled:
		return []Button{cancelButton(d.r, "Cancel")}
	case d.r.State == pim.Active && d.r.Leaving == "":
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
