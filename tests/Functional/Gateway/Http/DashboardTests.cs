using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway.Http;

public sealed class DashboardTests
{
    private const int Stores = 6;

    [Fact]
    public async Task The_dashboard_shows_filters_retries_and_echoes_in_a_real_browser()
    {
        if (!Peers.Require(Chromium.Program)) return;
        await using var remote = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb");
        await using var archive = await RefusingArchive.StartAsync(new()
        {
            ["Gateway__Aes__RADIOLOGY__Destinations"] = "offsite", ["Gateway__Destinations__offsite__Url"] = "http://127.0.0.1:9/dicomweb",
                ["Gateway__Aes__DICOMGW__Destinations"] = "archive",
            ["Gateway__RemoteAes__pacs__AeTitle"] = "DICOMGW", ["Gateway__RemoteAes__pacs__Host"] = "127.0.0.1",
                ["Gateway__RemoteAes__pacs__Port"] = $"{remote.DimsePort}",
            ["Gateway__RemoteAes__workstation__AeTitle"] = "WS_READING_1",
                ["Gateway__RemoteAes__workstation__Host"] = "127.0.0.1", ["Gateway__RemoteAes__workstation__Port"] = "9",
        });
        await archive.StoreAsync(1, 2);
        // Someone is connected, and objects wait for a destination that is away.
        await using var open = await Modality.ConnectAsync(archive.Gateway);
        await using var other = await Modality.Client.ConnectAsync(Modality.Peer(archive.Gateway, called: "RADIOLOGY", calling: "CT_SCANNER_2"),
            [Modality.Storage()], default);
        for (var i = 0; i < Stores; i++)
            foreach (var association in new[] { open, other })
            {
                var sop = $"1.2.840.9.{(association == open ? 2 : 3)}.{i}.1";
                Assert.Equal(0, await Modality.StoreAsync(association,
                    TestObject.Of("1.2.840.9", "1.2.840.9.1", sop).Add(0x7FE00010, "OW", new byte[524_288]).DataSet(), sop));
            }
        await archive.Gateway.UntilAsync(status => GatewayProcess.Waiting(status) == Stores, "only the absent destination's objects wait");
        await Assert.ThrowsAsync<AssociationRejectedException>(() =>
            Modality.Client.ConnectAsync(Modality.Peer(archive.Gateway, called: "<img src=x>"), [Modality.Storage()], default));
        await using var page = await Chromium.OpenAsync(archive.Gateway.Url + "/");

        await page.UntilAsync("document.getElementById('health')?.textContent === 'Ready'");
        await page.UntilAsync("document.querySelectorAll('#objects li').length === 2");
        Assert.Contains("archive", await page.EvaluateAsync("document.getElementById('destinations').innerText"), StringComparison.Ordinal);
        // What peers choose stays text.
        await page.UntilAsync("document.getElementById('records').innerText.includes('<img src=x>')");
        Assert.Equal("0", await page.EvaluateAsync("document.querySelectorAll('#records img').length"));
        await ScreenshotsAsync(page);

        await page.EvaluateAsync("document.querySelector('#filter [name=kind]').value = 'Store'; document.querySelector('#filter .primary').click()");
        await page.UntilAsync("document.querySelectorAll('#records tr').length === 14 && [...document.querySelectorAll('#records tr')].every(row => "
            + "row.children[1].textContent === 'Store')");
        await page.EvaluateAsync("document.querySelector('#filter [name=result]').value = 'Failure'; document.querySelector('#filter .primary').click()");
        await page.UntilAsync("document.getElementById('records').innerText.includes('No transaction fits')");

        await page.EvaluateAsync("document.querySelector('[data-remote=pacs] button').click()");
        await page.UntilAsync("document.querySelector('[data-remote=pacs]').innerText.includes('Alive')");
        await page.EvaluateAsync("document.querySelector('[data-remote=workstation] button').click()");
        await page.UntilAsync("document.querySelector('[data-remote=workstation]').innerText.includes('Connection refused')");

        // A purge asks first.
        await page.EvaluateAsync("document.querySelector('#objects .danger').click()");
        await page.UntilAsync("document.getElementById('confirm').open");
        await page.EvaluateAsync("document.querySelector('#confirm button[value=no]').click()");
        await page.UntilAsync("!document.getElementById('confirm').open && document.querySelectorAll('#objects li').length === 2");
        archive.TakeAll();
        await page.EvaluateAsync("document.querySelector('#objects button').click()");
        await page.UntilAsync("document.querySelectorAll('#objects li').length === 1");
        await page.EvaluateAsync("document.querySelector('#objects .danger').click()");
        await page.UntilAsync("document.getElementById('confirm').open");
        await page.EvaluateAsync("document.getElementById('confirm-yes').click()");
        await page.UntilAsync("document.getElementById('objects').innerText.includes('Nothing is in quarantine')");

        await page.EvaluateAsync("document.querySelector('#search [name=patientName]').value = 'DOE*'; document.querySelector('#search .primary').click()");
        await page.UntilAsync("document.getElementById('search-note').textContent.includes('studies in')");
    }

    // The pictures of the documentation, made anew when asked for.
    private static async Task ScreenshotsAsync(Chromium page)
    {
        await page.ResizeAsync(390, 844, true);
        Assert.Equal("390", await page.EvaluateAsync("document.documentElement.scrollWidth"));
        if (Environment.GetEnvironmentVariable("UPDATE_SCREENSHOTS") == "1")
        {
            var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "docs/images")).FullName;
            await File.WriteAllBytesAsync(Path.Combine(folder, "gateway-dashboard-phone.png"), await page.ScreenshotAsync(390, 1500));
            await page.ResizeAsync(1280, 900, false);
            await File.WriteAllBytesAsync(Path.Combine(folder, "gateway-dashboard.png"), await page.ScreenshotAsync(1280, 1420));
        }
        await page.ResizeAsync(1280, 900, false);
    }
}
