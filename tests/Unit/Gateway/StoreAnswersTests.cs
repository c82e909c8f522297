using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

/// <summary>What a status, a body or a broken connection says of the objects of a request.</summary>
public sealed class StoreAnswersTests
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData(200, "NotStow")] // without a body it is some other service
    [InlineData(204, "NotStow")]
    [InlineData(299, "NotStow")]
    [InlineData(300, "NotStow")]
    [InlineData(302, "NotStow")]
    [InlineData(399, "NotStow")]
    [InlineData(400, "Refused")]
    [InlineData(401, "Unauthorized")]
    [InlineData(402, "Refused")]
    [InlineData(403, "Unauthorized")]
    [InlineData(404, "NotStow")]
    [InlineData(405, "NotStow")]
    [InlineData(406, "Refused")]
    [InlineData(408, "Unavailable")]
    [InlineData(409, "Refused")]
    [InlineData(413, "TooLarge")]
    [InlineData(415, "Refused")]
    [InlineData(422, "Refused")]
    [InlineData(425, "Unavailable")]
    [InlineData(429, "Unavailable")]
    [InlineData(499, "Refused")]
    [InlineData(500, "Broken")]
    [InlineData(501, "Broken")]
    [InlineData(502, "Unavailable")]
    [InlineData(503, "Unavailable")]
    [InlineData(504, "Unavailable")]
    [InlineData(505, "Broken")]
    [InlineData(507, "Unavailable")]
    [InlineData(599, "Broken")]
    public async Task A_status_without_a_body_has_its_meaning(int status, string outcome)
    {
        var result = await ReadAsync(status, "", LooseEntries.Batch("1.2.1"));
        Assert.Equal((outcome, status, 0), (result.Outcome.ToString(), result.Status, result.Judgements.Count));
    }

    // With one or two names in the answer and one or two objects in the request: what is not named is not judged unless there is no doubt whom it means.
    [Theory]
    [InlineData(200, "1.2.1", "1.2.1", "", "Answered", "1.2.1=Done")]
    [InlineData(202, "1.2.1,1.2.2", "1.2.1", "1.2.2=42752", "Answered", "1.2.1=Done 1.2.2=Transient")]
    [InlineData(400, "1.2.1,1.2.2", "1.2.1", "1.2.2=43264", "Answered", "1.2.1=Done 1.2.2=Permanent")] // whatever the status says
    [InlineData(200, "1.2.1,1.2.9", "1.2.1", "", "Answered", "1.2.1=Done")]
    [InlineData(200, "1.2.1,", "1.2.1", "", "Answered", "1.2.1=Done")]
    [InlineData(200, "1.2.1,1.2.9,", "1.2.1", "1.2.7=43264", "Answered", "1.2.1=Done")]
    [InlineData(409, "1.2.1,1.2.9", "", "1.2.1=272", "Answered", "1.2.1=Doubtful")]
    [InlineData(200, "1.2.9", "1.2.1", "", "Answered", "1.2.9=Done")] // alone, the file's own UIDs disagree
    [InlineData(200, "", "1.2.1", "", "Answered", "=Done")]
    [InlineData(299, "1.2.9", "1.2.1", "", "Answered", "1.2.9=Done")]
    [InlineData(409, "1.2.9", "1.2.1", "", "Answered", "")] // not where the status says that something failed
    [InlineData(200, "1.2.9", "1.2.1,1.2.2", "", "Answered", "")]
    [InlineData(409, "1.2.9", "", "1.2.1=43264", "Answered", "1.2.9=Permanent")]
    [InlineData(409, "1.2.9", "", "1.2.1=43264,1.2.2=43264", "Answered", "")]
    [InlineData(200, "1.2.1", "1.2.1", "1.2.1=43264", "Answered", "1.2.1=Permanent")] // said to be both: it failed
    [InlineData(413, "1.2.1,1.2.2", "1.2.1", "1.2.2=43264", "Answered", "1.2.1=Done 1.2.2=Permanent")]
    [InlineData(413, "1.2.1,1.2.2", "1.2.1", "", "TooLarge", "1.2.1=Done")]
    [InlineData(409, "1.2.1,1.2.2", "1.2.1", "", "Answered", "1.2.1=Done")]
    public async Task An_answer_judges_those_it_names(int status, string sent, string stored, string failed, string outcome, string judged)
    {
        var batch = LooseEntries.Batch([.. sent.Split(',').Select(sop => sop.Length > 0 ? sop : null)]);
        var result = await ReadAsync(status, Body(stored, failed), batch);
        Assert.Equal((outcome, judged), (result.Outcome.ToString(), string.Join(' ', batch.Entries.Where(result.Judgements.ContainsKey).Select(entry =>
            $"{batch.Heads[entry].Sop}={result.Judgements[entry].Verdict}"))));
    }

    [Theory]
    [InlineData(0, "Answered")]
    [InlineData(1, "NotStow")]
    public async Task An_answer_is_read_up_to_16_MiB(int more, string outcome)
    {
        var body = Body("1.2.1", "");
        var result = await ReadAsync(200, body + new string(' ', (16 << 20) + more - body.Length), LooseEntries.Batch("1.2.1"));
        Assert.Equal(outcome, result.Outcome.ToString());
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("0", 0.0)]
    [InlineData("120", 120.0)]
    [InlineData("3600", 3600.0)]
    [InlineData("86400", 3600.0)]
    [InlineData("Sat, 21 Nov 2026 12:01:30 GMT", 90.0)]
    [InlineData("Sat, 21 Nov 2026 11:00:00 GMT", 0.0)]
    [InlineData("Sun, 22 Nov 2026 12:00:00 GMT", 3600.0)]
    public async Task A_server_may_ask_for_a_wait_of_up_to_an_hour(string? header, double? seconds)
    {
        using var answer = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
        if (header is not null) answer.Headers.RetryAfter = RetryConditionHeaderValue.Parse(header);
        var result = await new StoreAnswers(time).ReadAsync(answer, LooseEntries.Batch("1.2.1"), new DestinationOptions(), default);
        Assert.Equal(seconds, result.RetryAfter?.TotalSeconds);
    }

    [Fact]
    public void The_end_of_a_request_is_told_from_the_end_of_the_gateway_and_from_a_fault_of_its_own()
    {
        Exception[] ends = [new HttpRequestException(), new IOException(), new CredentialsException("No token.", null)];
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        foreach (var exception in ends)
            Assert.True(StoreAnswers.IsEndOfRequest(exception, default) && StoreAnswers.IsEndOfRequest(exception, stopped.Token), exception.GetType().Name);
        Assert.True(StoreAnswers.IsEndOfRequest(new TaskCanceledException(), default)); // the time limit
        Assert.False(StoreAnswers.IsEndOfRequest(new TaskCanceledException(), stopped.Token));
        Assert.False(StoreAnswers.IsEndOfRequest(new InvalidOperationException(), default));
    }

    [Fact]
    public void Without_an_answer_the_destination_is_away_or_the_request_broke()
    {
        (Exception Exception, BatchOutcome Outcome)[] cases =
        [
            (new CredentialsException("No token.", null), BatchOutcome.Unauthorized), (new JsonException(), BatchOutcome.NotStow),
            (new TaskCanceledException(), BatchOutcome.Broken), (new IOException(), BatchOutcome.Broken),
            (new HttpRequestException(HttpRequestError.NameResolutionError), BatchOutcome.Unavailable),
            (new HttpRequestException(HttpRequestError.ConnectionError), BatchOutcome.Unavailable),
            (new HttpRequestException(HttpRequestError.SecureConnectionError), BatchOutcome.Unavailable),
            (new HttpRequestException(HttpRequestError.ProxyTunnelError), BatchOutcome.Unavailable),
            (new HttpRequestException(HttpRequestError.ResponseEnded), BatchOutcome.Broken),
        ];
        foreach (var (exception, outcome) in cases)
            Assert.Equal((outcome, null), (StoreAnswers.Failure(exception).Outcome, StoreAnswers.Failure(exception).Status));
    }

    private async Task<BatchResult> ReadAsync(int status, string body, Batch batch)
    {
        using var answer = new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        return await new StoreAnswers(time).ReadAsync(answer, batch, new DestinationOptions(), default);
    }

    private static string Body(string stored, string failed) => "{" + Sequence("00081199", stored) + "," + Sequence("00081198", failed) + "}";

    // Names, each with its Failure Reason behind a sign of equality where it has one.
    private static string Sequence(string tag, string names)
    {
        var items = names.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(name => name.Split('=')).Select(name =>
            "{" + Value("00081155", "UI", $"\"{name[0]}\"") + (name.Length > 1 ? "," + Value("00081197", "US", name[1]) : "") + "}");
        return Value(tag, "SQ", string.Join(',', items));
    }

    private static string Value(string tag, string vr, string value) => $$"""
        "{{tag}}":{"vr":"{{vr}}","Value":[{{value}}]}
        """;
}
