using BenchmarkDotNet.Attributes;
using DicomServerless.Dicom;

namespace DicomServerless.Bench;

/// <summary>The header of a CT image: explicit VR, 200 elements in the sizes that scanners write, two sequences. Reported per element.</summary>
[MemoryDiagnoser]
public class DicomBench
{
    private const int Elements = 200, RealTokens = 265;

    private byte[] explicitHeader = [];
    private byte[] implicitHeader = [];
    private byte[] file = [];
    private byte[] realHeader = [];

    [GlobalSetup]
    public void Setup()
    {
        explicitHeader = Header(DicomEncoding.ExplicitLittleEndian);
        implicitHeader = Header(DicomEncoding.ImplicitLittleEndian);
        realHeader = RealHeader();
        if (Tokenize(realHeader, DicomEncoding.ExplicitLittleEndian) is var tokens and not RealTokens)
            throw new InvalidOperationException($"The sample has {tokens} tokens, not {RealTokens}.");
        file = [.. Part10.Header(Uid.Parse("1.2.840.10008.5.1.4.1.1.2"), Uid.Parse("1.2.3.4"), TransferSyntax.ExplicitVrLittleEndian.Uid), .. explicitHeader];
    }

    /// <summary>
    /// The header of a real CT image (tests/Samples/ct-small.dcm, explicit VR), everything in front of Pixel Data; its elements, items and ends of sequences.
    /// </summary>
    [Benchmark(OperationsPerInvoke = RealTokens)]
    public int TokenizeRealCtHeader() => Tokenize(realHeader, DicomEncoding.ExplicitLittleEndian);

    [Benchmark(OperationsPerInvoke = Elements)]
    public int TokenizeCtHeader() => Tokenize(explicitHeader, DicomEncoding.ExplicitLittleEndian);

    [Benchmark(OperationsPerInvoke = Elements)]
    public int TokenizeCtHeaderImplicit() => Tokenize(implicitHeader, DicomEncoding.ImplicitLittleEndian);

    [Benchmark(OperationsPerInvoke = Elements)]
    public bool ParseCtHeader() => DataSet.TryParse(explicitHeader, DicomEncoding.ExplicitLittleEndian, null, out _, out _);

    [Benchmark(OperationsPerInvoke = Elements)]
    public ScanStatus ScanCtHeader()
    {
        using var scanner = new InstanceScanner();
        scanner.Push(file);
        return scanner.Complete();
    }

    private static byte[] RealHeader()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "DicomServerless.sln"))) folder = folder.Parent!;
        var bytes = File.ReadAllBytes(Path.Combine(folder.FullName, "tests/Samples/ct-small.dcm"));
        using var scanner = new InstanceScanner();
        scanner.Push(bytes);
        scanner.Complete();
        var dataSet = bytes.AsSpan((int)scanner.Result!.DataSetOffset);
        return dataSet[..(int)(scanner.Result.BulkValues.First(value => value.Tag == Tags.PixelData).Offset - 12)].ToArray();
    }

    private static int Tokenize(byte[] bytes, DicomEncoding encoding)
    {
        var tokenizer = new DicomTokenizer(bytes, new TokenizerState(encoding));
        var count = 0;
        while (tokenizer.Read(out _) == TokenStatus.Token) count++;
        return count;
    }

    private static byte[] Header(DicomEncoding encoding)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        var writer = new DataSetWriter(output, encoding);
        var written = 0;
        // The tags of the dictionary as they come, thinned to what a CT has, with values of the usual size.
        uint[] groups = [0x0008, 0x0010, 0x0018, 0x0020, 0x0028];
        foreach (var group in groups)
        {
            for (uint element = 5; element < 0x2000 && written < Elements / groups.Length * (Array.IndexOf(groups, group) + 1); element++)
            {
                var tag = new Tag(((uint)group << 16) | element);
                var vr = DicomDictionary.VrOf(tag);
                if (vr is Vr.UN or Vr.SQ) continue;
                writer.Write(tag, vr, new byte[vr.WordSize() > 1 ? vr.WordSize() : 8 + (int)(element % 24)]);
                written++;
            }
        }
        return output.WrittenSpan.ToArray();
    }
}
