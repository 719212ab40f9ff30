package entra

import (
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"elevate/internal/pim"
)

// enum is a word of the SDK's.
type enum interface {
	comparable
	String() string
}

// wordIn gives the word of an enum, or, where the SDK lost it, what the wire kept.
func wordIn[E enum](value *E, name string, extra map[string]any) string {
	if value != nil {
		return (*value).String()
	}
	if raw, ok := extra[name+rawText].(*string); ok && raw != nil {
		return *raw
	}
	return ""
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func yes(b *bool) bool { return b != nil && *b }

// at gives a time, and zero for what Graph means by year one.
func at(t *time.Time) time.Time {
	if t == nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t.UTC()
}

// copyOf reads PIM's copy of a request.
func copyOf(r models.PrivilegedAccessGroupAssignmentScheduleRequestable) pim.Copy {
	extra := r.GetAdditionalData()
	c := pim.Copy{
		ID: str(r.GetId()), Status: str(r.GetStatus()), Action: pim.Action(wordIn(r.GetAction(), "action", extra)),
		Access: wordIn(r.GetAccessId(), "accessId", extra), Group: pim.NewGroupID(str(r.GetGroupId())),
		Principal: pim.NewPrincipalID(str(r.GetPrincipalId())), Created: at(r.GetCreatedDateTime()), Completed: at(r.GetCompletedDateTime()),
		Justification: str(r.GetJustification()), ApprovalID: str(r.GetApprovalId()), ScheduleID: str(r.GetTargetScheduleId()),
	}
	if by := r.GetCreatedBy(); by != nil && by.GetUser() != nil {
		c.CreatedBy = pim.NewPrincipalID(str(by.GetUser().GetId()))
	}
	if ticket := r.GetTicketInfo(); ticket != nil {
		c.Ticket, c.TicketSystem = str(ticket.GetTicketNumber()), str(ticket.GetTicketSystem())
	}
	addSchedule(&c, r.GetScheduleInfo())
	return c
}

func addSchedule(c *pim.Copy, s models.RequestScheduleable) {
	if s == nil {
		return
	}
	c.Start = at(s.GetStartDateTime())
	expiration := s.GetExpiration()
	if expiration == nil {
		return
	}
	c.Expiration = wordIn(expiration.GetTypeEscaped(), "type", expiration.GetAdditionalData())
	c.End = at(expiration.GetEndDateTime())
	if d := expiration.GetDuration(); d != nil {
		c.Duration = exactly(d)
	}
}

// instanceOf reads an assignment that applies now.
func instanceOf(i models.PrivilegedAccessGroupAssignmentScheduleInstanceable) pim.Instance {
	extra := i.GetAdditionalData()
	return pim.Instance{
		ID: str(i.GetId()), Group: pim.NewGroupID(str(i.GetGroupId())), Principal: pim.NewPrincipalID(str(i.GetPrincipalId())),
		Access:    wordIn(i.GetAccessId(), "accessId", extra),
		Activated: wordIn(i.GetAssignmentType(), "assignmentType", extra) == "activated", ScheduleID: str(i.GetAssignmentScheduleId()),
		Start: at(i.GetStartDateTime()), End: at(i.GetEndDateTime()),
	}
}

// eligibilityOf reads an eligibility that applies now.
func eligibilityOf(i models.PrivilegedAccessGroupEligibilityScheduleInstanceable) pim.Eligibility {
	return pim.Eligibility{
		Group: pim.NewGroupID(str(i.GetGroupId())), Principal: pim.NewPrincipalID(str(i.GetPrincipalId())),
		Access: wordIn(i.GetAccessId(), "accessId", i.GetAdditionalData()), Start: at(i.GetStartDateTime()), End: at(i.GetEndDateTime()),
	}
}

// stageOf reads a stage of an approval.
func stageOf(s models.ApprovalStageable) pim.Stage {
	stage := pim.Stage{
		ID: str(s.GetId()), AssignedToMe: yes(s.GetAssignedToMe()), Status: str(s.GetStatus()), ReviewResult: str(s.GetReviewResult()),
		Reviewed: at(s.GetReviewedDateTime()), Reason: str(s.GetJustification()),
	}
	if by := s.GetReviewedBy(); by != nil {
		stage.ReviewedBy, stage.ReviewedName = pim.NewPrincipalID(str(by.GetId())), str(by.GetDisplayName())
	}
	return stage
}
