using System.Net;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

/// <summary>Tokens of RFC 6749 4.4: how long one is used.</summary>
public sealed class CredentialsTests
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
    private readonly AuthenticationOptions options = new()
        { Kind = AuthenticationKind.ClientCredentials, TokenUrl = "http://login/token", ClientId = "gateway", ClientSecret = "secret" };

    [Theory]
    [InlineData(3600, 3479, 3481)] // two minutes before its end
    [InlineData(60, 29, 31)] // half of its life
    public async Task A_token_of_a_minute_serves_more_than_one_request(int life, int stillUsed, int renewed)
    {
        using var issuer = new Issuer(life);
        using var http = new HttpClient(issuer);
        using var credentials = new Credentials(options, http, time);
        Assert.Equal("Bearer token1", await AskAsync(credentials));
        time.Advance(TimeSpan.FromSeconds(stillUsed));
        Assert.Equal("Bearer token1", await AskAsync(credentials));
        time.Advance(TimeSpan.FromSeconds(renewed - stillUsed));
        Assert.Equal("Bearer token2", await AskAsync(credentials));
    }

    [Fact]
    public async Task A_token_that_was_refused_is_not_used_again()
    {
        using var issuer = new Issuer(3600);
        using var http = new HttpClient(issuer);
        using var credentials = new Credentials(options, http, time);
        await AskAsync(credentials);
        credentials.Refused();
        Assert.Equal("Bearer token2", await AskAsync(credentials));
    }

    private static async Task<string> AskAsync(Credentials credentials)
    {
        using var request = new HttpRequestMessage();
        await credentials.AddAsync(request, default);
        return request.Headers.Authorization!.ToString();
    }

    private sealed class Issuer(int life) : HttpMessageHandler
    {
        private int issued;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(
            new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent($$"""{"access_token":"token{{++issued}}","expires_in":{{life}}}""") });
    }
}
