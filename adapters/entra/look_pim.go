package entra

import (
	"context"
	"strings"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	"github.com/microsoftgraph/msgraph-sdk-go/identitygovernance"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"elevate/internal/pim"
)

// quoted makes a literal of OData.
func quoted[T ~string](s T) string { return "'" + strings.ReplaceAll(string(s), "'", "''") + "'" }

var errOther = pim.Errorf(pim.Unavailable, "Microsoft Graph answered about something else than it was asked. Try again in a minute.")

func (v *view) askRequest(ctx context.Context, id string) {
	info, err := v.client.questions.groupAccess().AssignmentScheduleRequests().
		ByPrivilegedAccessGroupAssignmentScheduleRequestId(id).ToGetRequestInformation(ctx, nil)
	r, err := v.client.newReading("requests", info, err)
	if err == nil {
		r.take = func(body []byte) (string, error) {
			one, err := parsed[models.PrivilegedAccessGroupAssignmentScheduleRequestable](
				v.client, body, models.CreatePrivilegedAccessGroupAssignmentScheduleRequestFromDiscriminatorValue)
			if err != nil {
				return "", err
			}
			if !strings.EqualFold(str(one.GetId()), id) {
				return "", errOther
			}
			v.answer.Requests[id] = copyOf(one)
			return "", nil
		}
		r.absent = func(fault) bool {
			v.answer.Gone[id] = true
			return true
		}
	}
	v.put(r, err)
}

func (v *view) askPending(ctx context.Context, group pim.GroupID) {
	v.askRequests(ctx, "pending", "groupId eq "+quoted(group)+" and status eq 'PendingApproval'", func(copies []pim.Copy) {
		v.answer.Pending[group] = copies
	})
}

func (v *view) askRecent(ctx context.Context, recent pim.Recent) {
	filter := "groupId eq " + quoted(recent.Group) + " and principalId eq " + quoted(recent.Principal)
	v.askRequests(ctx, "recent", filter, func(copies []pim.Copy) { v.answer.Recent[recent] = copies })
}

// askRequests lists requests, and keeps them when the last page was read.
func (v *view) askRequests(ctx context.Context, name, filter string, keep func([]pim.Copy)) {
	info, err := v.client.questions.groupAccess().AssignmentScheduleRequests().ToGetRequestInformation(ctx,
		&identitygovernance.PrivilegedAccessGroupAssignmentScheduleRequestsRequestBuilderGetRequestConfiguration{
			QueryParameters: &identitygovernance.PrivilegedAccessGroupAssignmentScheduleRequestsRequestBuilderGetQueryParameters{Filter: &filter},
		})
	var copies []pim.Copy
	list(v, name, info, err, models.CreatePrivilegedAccessGroupAssignmentScheduleRequestCollectionResponseFromDiscriminatorValue,
		func(r models.PrivilegedAccessGroupAssignmentScheduleRequestable) error {
			copies = append(copies, copyOf(r))
			return nil
		}, func() []*reading {
			keep(copies)
			return nil
		})
}

func (v *view) askActive(ctx context.Context, group pim.GroupID) {
	v.askInstances(ctx, "active", "groupId eq "+quoted(group), func(instances []pim.Instance) { v.answer.Active[group] = instances })
}

// askInstances lists the assignments that apply now.
func (v *view) askInstances(ctx context.Context, name, filter string, keep func([]pim.Instance)) {
	info, err := v.client.questions.groupAccess().AssignmentScheduleInstances().ToGetRequestInformation(ctx,
		&identitygovernance.PrivilegedAccessGroupAssignmentScheduleInstancesRequestBuilderGetRequestConfiguration{
			QueryParameters: &identitygovernance.PrivilegedAccessGroupAssignmentScheduleInstancesRequestBuilderGetQueryParameters{Filter: &filter},
		})
	var instances []pim.Instance
	list(v, name, info, err, models.CreatePrivilegedAccessGroupAssignmentScheduleInstanceCollectionResponseFromDiscriminatorValue,
		func(i models.PrivilegedAccessGroupAssignmentScheduleInstanceable) error {
			instances = append(instances, instanceOf(i))
			return nil
		}, func() []*reading {
			keep(instances)
			return nil
		})
}

// collection is what all lists of the SDK have.
type collection[T any] interface {
	serialization.Parsable
	GetOdataNextLink() *string
	GetValue() []T
}

// list queues the reading of a list. Each is given every element, done is called after the last page.
func list[T comparable](v *view, name string, info *kiota.RequestInformation, err error, factory serialization.ParsableFactory,
	each func(T) error, done func() []*reading,
) {
	r, err := v.client.newReading(name, info, err)
	if err == nil {
		r.take = func(body []byte) (string, error) { return takePage(v.client, body, factory, each) }
		r.done = done
	}
	v.put(r, err)
}

func takePage[T comparable](c *Client, body []byte, factory serialization.ParsableFactory, each func(T) error) (string, error) {
	page, err := parsed[collection[T]](c, body, factory)
	if err != nil {
		return "", err
	}
	if page.GetValue() == nil {
		return "", pim.Errorf(pim.Unavailable, "Microsoft Graph gave an answer without content. Try again in a minute.")
	}
	var none T
	for _, one := range page.GetValue() {
		if one == none {
			continue
		}
		if err := each(one); err != nil {
			return "", err
		}
	}
	return str(page.GetOdataNextLink()), nil
}
