import * as s from "./src/index.ts";
import { tokenScores } from "./src/families/tokenScores.ts";
s.initSync({variant: (process.argv[2] ?? "base") as "base"});
for (const T of [Float32Array, Float64Array]) for (const [r,n] of [[5,3],[7,12],[9,13],[6,1000],[3,40000],[2,300001]] as const) {
 const x=T.from({length:r*n},()=>Math.random()*18-4); const l=Int32Array.from({length:r},()=>Math.random()*n|0);
 const shape=[r,n]; const k=Math.min(n,7);
 const t=tokenScores(x,l,{shape,top:k});
 const lp=s.logSoftmax(x,{shape}); const h=s.entropy(x,{shape,from:"logits",reduction:"none"});
 let bad=0, he=0;
 for(let i=0;i<r;i++){ const row=Array.from(lp.subarray(i*n,(i+1)*n)); if(row[l[i]!]!==t.logProb[i]) bad++;
  he=Math.max(he,Math.abs(h[i]!-t.entropy[i]!)/h[i]!);
  const xs=Array.from(x.subarray(i*n,(i+1)*n)); const rk=xs.filter(v=>v>xs[l[i]!]!).length+1; if(rk!==t.rank[i]) bad+=100;
  const order=xs.map((v,j)=>[v,j] as const).sort((a,b)=>b[0]-a[0]||a[1]-b[1]).slice(0,k);
  order.forEach(([v,j],q)=>{ if(t.top!.indices[i*k+q]!==j || t.top!.logProbs[i*k+q]!==row[j]) bad+=10000;});
 }
 console.log(T.name,r,n,bad,he);
}
const one=(f:()=>void,n:number)=>{const t=performance.now(); for(let i=0;i<n;i++)f(); return (performance.now()-t)/n*1e3;};
const med=(a:number[])=>a.sort((x,y)=>x-y)[a.length>>1]!;
for (const T of [Float32Array, Float64Array]){
const r=64,n=128256; const x=T.from({length:r*n},()=>Math.random()*18-4); const l=Int32Array.from({length:r},()=>Math.random()*n|0); const o={shape:[r,n]}, o5={shape:[r,n],top:5};
 const A=[],B=[],C=[]; for(let i=0;i<15;i++){A.push(one(()=>{s.logSumExp(x,o)},1));B.push(one(()=>{tokenScores(x,l,o5)},1));C.push(one(()=>{s.crossEntropy(x,l,o)},1));}
 console.log(T.name, med(A), "ts", med(B.map((b,i)=>b/A[i]!)).toFixed(3), "ce", med(C.map((b,i)=>b/A[i]!)).toFixed(3), Math.min(...B)/Math.min(...A));
}
