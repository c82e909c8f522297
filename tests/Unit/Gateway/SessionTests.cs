using System.Net;
using DicomServerless.EdgeGateway.Audit;
using DicomServerless.EdgeGateway.Dashboard;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Transactions;
using DicomServerless.Shared;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Unit.Gateway;

public sealed class SessionTests
{
    [Fact]
    public async Task A_session_ends_when_its_hours_are_over_whatever_the_browser_keeps()
    {
        var folder = Directory.CreateTempSubdirectory("session-");
        var time = new ManualTime(DateTimeOffset.UtcNow);
        var configuration = GatewayConfiguration.Load(
        [
            "--Gateway:Destinations:archive:Url=https://archive.example/dicomweb", "--Gateway:Http:SessionHours=2",
            "--Gateway:Http:PasswordHash=" + PasswordHash.Create("correct horse"),
        ], folder.FullName, [])!;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(configuration);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton(new TransactionLog(folder.FullName, () => configuration.Current.Transactions, time, NullLogger<TransactionLog>.Instance));
        builder.Services.AddSingleton<AuditTrail>();
        builder.Services.AddSignIn();
        await using var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.UseSignIn();
        Pages.Map(app);
        await app.StartAsync();

        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        client.BaseAddress = new Uri(app.Urls.Single());
        var login = await client.PostAsync("/login", new FormUrlEncodedContent([new("user", "admin"), new("password", "correct horse")]));
        client.DefaultRequestHeaders.Add("Cookie", Assert.Single(login.Headers.GetValues("Set-Cookie")).Split(';')[0]);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/dashboard.js")).StatusCode);
        time.Advance(TimeSpan.FromMinutes(119));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/dashboard.js")).StatusCode);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/dashboard.js")).StatusCode);
        await app.StopAsync();
        folder.Delete(recursive: true);
    }
}
