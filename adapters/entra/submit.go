package entra

import (
	"context"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/identitygovernance"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"elevate/internal/pim"
)

// Submit sends an activation, a release or a removal as a person, once. An error of kind AnswerLost means that it may
// have been done.
func (c *Client) Submit(ctx context.Context, as pim.Actor, a pim.Activation) (pim.Copy, error) {
	start := a.Start
	if a.Action == pim.SelfActivate && start.IsZero() {
		now, err := c.graphNow(ctx)
		if err != nil {
			return pim.Copy{}, err
		}
		start = now
	}
	body, err := requestBody(a, start)
	if err != nil {
		return pim.Copy{}, err
	}
	k, err := c.asPerson(opSubmit, as)
	if err != nil {
		return pim.Copy{}, err
	}
	var answer models.PrivilegedAccessGroupAssignmentScheduleRequestable
	err = k.do(ctx, func(ctx context.Context) (err error) {
		answer, err = k.scheduleRequests().Post(ctx, body, nil)
		return err
	})
	switch {
	case err != nil:
		return pim.Copy{}, err
	case answer == nil || str(answer.GetId()) == "":
		return pim.Copy{}, pim.Errorf(pim.AnswerLost, "%s", answerLost)
	}
	return copyOf(answer), nil
}

// Cancel withdraws a waiting or scheduled request as the person who made it.
func (c *Client) Cancel(ctx context.Context, as pim.Actor, pimID string) error {
	if pimID == "" {
		return errNoID
	}
	k, err := c.asPerson(opCancel, as)
	if err != nil {
		return err
	}
	return k.do(ctx, func(ctx context.Context) error {
		return k.scheduleRequests().ByPrivilegedAccessGroupAssignmentScheduleRequestId(pimID).Cancel().Post(ctx, nil)
	})
}

var errNoID = pim.Errorf(pim.Internal, "Elevate does not know the request's id in PIM. Nothing was changed; tell an administrator.")

func (k *call) scheduleRequests() *identitygovernance.PrivilegedAccessGroupAssignmentScheduleRequestsRequestBuilder {
	return k.groupAccess().AssignmentScheduleRequests()
}

func (k *call) groupAccess() *identitygovernance.PrivilegedAccessGroupRequestBuilder {
	return identitygovernance.NewIdentityGovernanceRequestBuilderInternal(k.root(), k.adapter).PrivilegedAccess().Group()
}

var actions = map[pim.Action]models.ScheduleRequestActions{
	pim.SelfActivate:   models.SELFACTIVATE_SCHEDULEREQUESTACTIONS,
	pim.SelfDeactivate: models.SELFDEACTIVATE_SCHEDULEREQUESTACTIONS,
	pim.AdminRemove:    models.ADMINREMOVE_SCHEDULEREQUESTACTIONS,
}

// requestBody makes what is posted. Only what these three actions need can be made with it.
func requestBody(a pim.Activation, start time.Time) (models.PrivilegedAccessGroupAssignmentScheduleRequestable, error) {
	action, known := actions[a.Action]
	if !known || a.Group == "" || a.Principal == "" || (a.Action == pim.SelfActivate) != ((a.Duration > 0) != !a.Until.IsZero()) {
		return nil, pim.Errorf(pim.Internal, "Elevate made a request that PIM does not have. Nothing was asked for; tell an administrator.")
	}
	access, group, principal := models.MEMBER_PRIVILEGEDACCESSGROUPRELATIONSHIPS, string(a.Group), string(a.Principal)
	body := models.NewPrivilegedAccessGroupAssignmentScheduleRequest()
	body.SetOdataType(nil) // as Microsoft documents the body
	body.SetAction(&action)
	body.SetAccessId(&access)
	body.SetGroupId(&group)
	body.SetPrincipalId(&principal)
	body.SetJustification(&a.Justification)
	if a.Ticket != "" {
		ticket := models.NewTicketInfo()
		ticket.SetTicketNumber(&a.Ticket)
		body.SetTicketInfo(ticket)
	}
	if a.Action == pim.SelfActivate {
		body.SetScheduleInfo(schedule(a, start))
	}
	return body, nil
}

// schedule writes times and durations itself: the SDK's setters drop fractions of seconds and turn PT24H into P1D and
// seven days into a week.
func schedule(a pim.Activation, start time.Time) models.RequestScheduleable {
	kind := models.AFTERDURATION_EXPIRATIONPATTERNTYPE
	expiration := models.NewExpirationPattern()
	if a.Until.IsZero() {
		expiration.SetAdditionalData(map[string]any{"duration": isoDuration(a.Duration)})
	} else {
		kind = models.AFTERDATETIME_EXPIRATIONPATTERNTYPE
		expiration.SetAdditionalData(map[string]any{"endDateTime": a.Until.UTC().Format(time.RFC3339Nano)})
	}
	expiration.SetTypeEscaped(&kind)
	info := models.NewRequestSchedule()
	info.SetAdditionalData(map[string]any{"startDateTime": start.UTC().Format(time.RFC3339Nano)})
	info.SetExpiration(expiration)
	return info
}
