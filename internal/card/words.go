package card

import "elevate/internal/pim"

// heading is the card's title: the role and where the request stands.
func (d drawing) heading() string {
	switch {
	case d.loud():
		return "EMERGENCY: " + d.title + ": " + d.standing()
	case d.r.State == pim.Pending && d.r.Decided != nil:
		return d.title + ": decided, being read back"
	case d.r.State == pim.Pending && d.v.Viewer == Approvers && d.claim == nil:
		return d.title + ": approval needed"
	}
	return d.title + ": " + d.standing()
}

// standing says where the request stands.
func (d drawing) standing() string {
	r := d.r
	switch r.State {
	case pim.Submitting:
		if r.Waits() {
			return "waiting for the end of the present access"
		}
	case pim.Granting:
		if r.Late {
			return "still being granted"
		}
	case pim.Active:
		switch {
		case r.Leaving == pim.Released:
			return "being released"
		case r.Leaving != "":
			return "being removed"
		case d.past():
			return "over, being read back"
		case r.Releasing != nil:
			return "about to be released"
		}
	case pim.Ended:
		if r.StillBy != "" {
			return ending(r.Ending) + ", but access remains"
		}
		return ending(r.Ending)
	case pim.WaitingForSignIn, pim.Pending, pim.Scheduled, pim.Refused,
		pim.Denied, pim.Canceled, pim.TimedOut, pim.Failed:
	}
	return r.State.Phrase()
}

func ending(e pim.Ending) string {
	switch e {
	case pim.Expired:
		return "ended at its time"
	case pim.Released:
		return "released"
	case pim.Revoked:
		return "revoked"
	case pim.Unknown:
		return "ended before its time"
	}
	return "ended"
}

// tone is good only for a membership that was read back and that stays.
func (d drawing) tone() Tone {
	if d.loud() {
		return Alarm
	}
	switch d.r.State {
	case pim.WaitingForSignIn, pim.Submitting, pim.Pending, pim.Scheduled:
		return Waiting
	case pim.Granting:
		if d.r.Late {
			return Alarm
		}
		return Waiting
	case pim.Active:
		if !d.stays() || d.r.MemberSince.IsZero() {
			return Waiting
		}
		return Good
	case pim.Refused, pim.Denied, pim.TimedOut, pim.Failed:
		return Bad
	case pim.Canceled:
		return Neutral
	case pim.Ended:
		if d.r.StillBy != "" {
			return Alarm
		}
		return Neutral
	}
	return Neutral
}

// sentence is the whole card in one sentence, for notifications and screen readers.
func (d drawing) sentence() string {
	if d.loud() {
		return "EMERGENCY: " + d.plainSentence()
	}
	return d.plainSentence()
}

func (d drawing) plainSentence() string {
	who := d.name + "'s request " + string(d.r.ID) + " for " + d.title
	switch d.r.State {
	case pim.Pending:
		return d.name + " asks for " + d.title + " " + d.shown.phrase() + "; request " + string(d.r.ID) + " is waiting for approval."
	case pim.Active:
		return d.name + " has " + d.title + " now; request " + string(d.r.ID) + " is " + d.standing() + "."
	case pim.Granting, pim.WaitingForSignIn, pim.Submitting, pim.Scheduled, pim.Refused, pim.Denied, pim.Canceled:
		return who + " is " + d.standing() + "."
	case pim.TimedOut:
		return who + " ran out of time."
	case pim.Failed:
		return who + " failed."
	case pim.Ended:
		if d.r.StillBy != "" {
			return d.name + " still has access to " + d.title + ", although request " + string(d.r.ID) + " " + ending(d.r.Ending) + "."
		}
		return d.name + "'s access to " + d.title + " is over: " + d.standing() + "."
	}
	return who + " has changed."
}
