using System.Globalization;
using System.Text.Json;
using DicomServerless.Shared;

namespace DicomServerless.Viewer;

/// <summary>The OHIF viewer in a browser.</summary>
internal sealed class ViewerPage : IAsyncDisposable
{
    public const string Canvas = "document.querySelector('canvas.cornerstone-canvas')";

    // Undecodable pixels are drawn as noise without any failed request: these texts tell (no standard error of the viewer holds them).
    private static readonly string[] Undecoded = ["Couldn't decode", "No decoder", "texImage2D: ArrayBufferView not big enough"];

    private readonly string[] own;

    private ViewerPage(Chromium browser, string url, string? others) => (Browser, own) = (browser, [new Uri(url).Authority, others ?? ""]);

    public Chromium Browser { get; }

    /// <summary>Opens the study list, or an address below the viewer.</summary>
    public static async Task<ViewerPage> OpenAsync(ViewerSystem system, string path = "") => await OpenAsync(system.Url + "/viewer/", path);

    /// <summary>Opens an address below the viewer's root.</summary>
    /// <param name="root">The viewer's URL.</param>
    /// <param name="path">The address below it.</param>
    /// <param name="others">Another host and port that may be asked.</param>
    public static async Task<ViewerPage> OpenAsync(string root, string path, string? others = null) =>
        // The first visit's tour would dim the page.
        new(await Chromium.OpenAsync(root + path, draws: true, before: """localStorage.setItem('shownTours', '["basicViewerTour"]')"""), root, others);

    /// <summary>Opens a study of samples.py.</summary>
    public static Task<ViewerPage> OpenStudyAsync(ViewerSystem system, string studyInstanceUid) =>
        OpenAsync(system, "viewer?StudyInstanceUIDs=" + studyInstanceUid);

    /// <summary>The text of the study list's rows, once there are as many as these.</summary>
    public async Task<string[]> RowsAsync(int count)
    {
        await Browser.UntilAsync($"document.querySelectorAll('tr[aria-selected]').length === {count}");
        return JsonSerializer.Deserialize(
            await Browser.EvaluateAsync("JSON.stringify([...document.querySelectorAll('tr[aria-selected]')].map(row => row.innerText))"),
            Texts.Default.StringArray)!;
    }

    /// <summary>Waits until something else than black is drawn, and stays: the viewport is laid out anew while the rest arrives.</summary>
    public async Task DrawnAsync()
    {
        await Browser.UntilAsync(Drawn);
        await SettledAsync();
        await Browser.UntilAsync(Drawn);
    }

    private const string Drawn = $$"""
        (() => {
          const canvas = {{Canvas}};
          if (!canvas || !canvas.width) return false;
          const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data, seen = new Set();
          for (let i = 0; i < pixels.length && seen.size < 32; i += 4) seen.add(pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]);
          return seen.size >= 32;
        })()
        """;

    /// <summary>The image as it is shown, in squares: the mean grey of each. The image is taken to be as high as the viewport, in its middle.</summary>
    /// <param name="squares">How many a side.</param>
    public async Task<double[]> SquaresAsync(int squares)
    {
        var text = await Browser.EvaluateAsync($$"""
            (() => {
              const canvas = {{Canvas}}, side = Math.min(canvas.width, canvas.height), n = {{squares}};
              const left = Math.round((canvas.width - side) / 2), top = Math.round((canvas.height - side) / 2);
              const pixels = canvas.getContext('2d').getImageData(left, top, side, side).data, sum = new Array(n * n).fill(0), count = new Array(n * n).fill(0);
              for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) {
                const at = Math.floor(y * n / side) * n + Math.floor(x * n / side), i = (y * side + x) * 4;
                sum[at] += (pixels[i] + pixels[i + 1] + pixels[i + 2]) / 3;
                count[at]++;
              }
              return JSON.stringify(sum.map((value, i) => value / count[i]));
            })()
            """);
        return JsonSerializer.Deserialize(text, Texts.Default.DoubleArray)!;
    }

    /// <summary>Waits until nothing is asked for any more and the picture stays for a moment.</summary>
    public Task SettledAsync() => Browser.UntilAsync($$"""
        (() => {
          const canvas = {{Canvas}}, count = performance.getEntriesByType('resource').length, now = performance.now(),
          key = `${count} ${!!canvas} ${canvas?.width}`;
          if (window.settledKey !== key) [window.settledKey, window.settledAt] = [key, now];
          return canvas && now - window.settledAt > 1500;
        })()
        """);

    /// <summary>How many colours are shown, and how far they are spread.</summary>
    public async Task<(int Distinct, double Deviation)> SpreadAsync()
    {
        var text = await Browser.EvaluateAsync($$"""
            (() => {
              const canvas = {{Canvas}}; if (!canvas) return '0 0'; const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width,
              canvas.height).data, seen = new Set();
              let sum = 0, squares = 0, count = 0;
              for (let i = 0; i < pixels.length; i += 4) {
                const grey = (pixels[i] + pixels[i + 1] + pixels[i + 2]) / 3;
                seen.add(pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]);
                sum += grey; squares += grey * grey; count++;
              }
              return seen.size + ' ' + Math.sqrt(squares / count - (sum / count) ** 2);
            })()
            """);
        var parts = text.Split(' ');
        return (int.Parse(parts[0], CultureInfo.InvariantCulture), double.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    /// <summary>How much of the window is white, from 0 to 1.</summary>
    public async Task<double> WhiteShareAsync()
    {
        var picture = Convert.ToBase64String(await Browser.ScreenshotAsync(1280, 900));
        return double.Parse(await Browser.EvaluateAsync($$"""
            (async () => {
              const image = new Image();
              image.src = 'data:image/png;base64,{{picture}}';
              await image.decode();
              const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext('2d');
              context.drawImage(image, 0, 0);
              const pixels = context.getImageData(0, 0, image.width, image.height).data;
              let count = 0;
              for (let i = 0; i < pixels.length; i += 4) if (pixels[i] > 250 && pixels[i + 1] > 250 && pixels[i + 2] > 250) count++;
              return count / (pixels.length / 4);
            })()
            """), CultureInfo.InvariantCulture);
    }

    /// <summary>Keeps the picture for the documentation, when asked for.</summary>
    public async Task KeepPictureAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_SCREENSHOTS") != "1") return;
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "docs/images")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(folder, name + ".png"), await Browser.ScreenshotAsync(1280, 900));
    }

    /// <summary>Asserts that nothing went wrong, and that nothing was asked of anybody else.</summary>
    public void AssertClean()
    {
        Assert.DoesNotContain(Browser.Errors, error => Undecoded.Any(text => error.Contains(text, StringComparison.Ordinal)));
        Assert.True(Browser.FailedRequests.Count == 0, string.Join('\n', Browser.FailedRequests));
        Assert.True(Browser.Errors.Count == 0, string.Join('\n', Browser.Errors));
        Assert.All(Browser.Requests.Where(request => request.Scheme is not ("data" or "blob" or "chrome-extension" or "about")), request =>
            Assert.Contains(request.Authority, own));
    }

    public ValueTask DisposeAsync() => Browser.DisposeAsync();
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string[]))]
[System.Text.Json.Serialization.JsonSerializable(typeof(double[]))]
internal sealed partial class Texts : System.Text.Json.Serialization.JsonSerializerContext;
